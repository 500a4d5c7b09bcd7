import { once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import { frame, openCall } from "@weft/core/runtime";
import { CLUSTER, discoveryType, ENDPOINT, LISTENER } from "@weft/core/stream";
import { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { DeltaDiscoveryRequestSchema } from "@weft/proto/envoy/service/discovery/v3/discovery_pb.ts";
import { describe, expect, test } from "vitest";
import { connectScripted, DELTA_ADS, NODE } from "./client.ts";
import { resource, snapshot, startTestServer, until } from "./server.ts";

const cluster = (name: string, altStatName = "") =>
  resource(ClusterSchema, name, { name, altStatName });
const assignment = (name: string) =>
  resource(ClusterLoadAssignmentSchema, name, { clusterName: name });

const one = snapshot([cluster("c1"), assignment("e1")]);

describe("variants", () => {
  test("A1, A7, A8: both encodings of ADS bring typed resources and name the replica", async () => {
    await using server = await startTestServer(one, { identifier: "weft-7" });
    using client = connectScripted(server.port);
    const delta = client.delta();
    delta.send({ node: NODE, typeUrl: CLUSTER.url });
    expect(await delta.next()).toMatchObject({
      typeUrl: CLUSTER.url,
      nonce: "1",
      controlPlane: { identifier: "weft-7" },
      resources: [
        { name: "c1", version: cluster("c1").version, resource: { typeUrl: CLUSTER.url } },
      ],
      removedResources: [],
    });
    const sotw = client.sotw();
    sotw.send({ node: NODE, typeUrl: CLUSTER.url });
    expect(await sotw.next()).toMatchObject({
      typeUrl: CLUSTER.url,
      nonce: "1",
      controlPlane: { identifier: "weft-7" },
      versionInfo: expect.stringMatching(/^[\w-]{11}$/),
      resources: [{ typeUrl: CLUSTER.url }],
    });
  });

  test("A2, A3: a stream of one type implies its type and refuses others", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta(`/${CLUSTER.service}/${CLUSTER.delta}`);
    stream.send({ node: NODE });
    expect(await stream.next()).toMatchObject({
      typeUrl: CLUSTER.url,
      resources: [{ name: "c1" }],
    });
    stream.send({ typeUrl: ENDPOINT.url });
    expect((await stream.ended).status).toBe("3");
    const endpoints = client.sotw(`/${ENDPOINT.service}/${ENDPOINT.sotw}`);
    endpoints.send({ node: NODE, resourceNames: ["e1"] });
    expect((await endpoints.next()).resources).toHaveLength(1);
  });

  test("A2: a method that is not served is UNIMPLEMENTED", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const path = "/envoy.service.route.v3.VirtualHostDiscoveryService/StreamVirtualHosts";
    expect((await client.sotw(path).ended).status).toBe("12");
  });

  test("A3: ADS without a type is INVALID_ARGUMENT", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ node: NODE });
    expect(await stream.ended).toEqual({
      status: "3",
      message: "xds.bad_request: the request names no type_url",
    });
  });

  test("A4: a foreign type leaves the stream alive and is told of once", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: "type.googleapis.com/nds" });
    stream.send({ typeUrl: "type.googleapis.com/nds" });
    stream.send({ typeUrl: CLUSTER.url });
    expect((await stream.next()).typeUrl).toBe(CLUSTER.url);
    expect(server.flags).toEqual(["type type.googleapis.com/nds is not served"]);
  });
});

describe("the node", () => {
  test("A5: it comes with the first request, and later requests need none", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    await stream.next();
    // A6: one that is repeated, even changed, is not looked at.
    stream.send({ node: { id: "another" }, typeUrl: ENDPOINT.url, resourceNamesSubscribe: ["e1"] });
    expect(await stream.next()).toMatchObject({ resources: [{ name: "e1" }] });
    expect(server.streams.size).toBe(1);
  });

  test("A5: a first request without one is INVALID_ARGUMENT", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ typeUrl: CLUSTER.url });
    expect(await stream.ended).toMatchObject({ status: "3" });
  });
});

describe("limits", () => {
  test("A10: 100,000 names are taken", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    const versions = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [
        `outbound|80||s${index}.example`,
        "12345678901",
      ]),
    );
    stream.send({ node: NODE, typeUrl: CLUSTER.url, initialResourceVersions: versions });
    expect((await stream.next()).resources.map(({ name }) => name)).toEqual(["c1"]);
  });

  test("A10: a message over 32 MiB ends its stream, and the server goes on", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.sendBytes(Buffer.alloc((32 << 20) + 1));
    expect((await stream.ended).status).toBe("8");
    const other = client.delta();
    other.send({ node: NODE, typeUrl: CLUSTER.url });
    await other.next();
  });

  test("bytes that are no request end the stream", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.sendBytes(Buffer.from([0xff, 0xff, 0xff]));
    expect((await stream.ended).status).toBe("3");
  });

  test("a request cut into many frames is read whole", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    const message = toBinary(
      DeltaDiscoveryRequestSchema,
      create(DeltaDiscoveryRequestSchema, {
        node: { ...NODE, userAgentName: "x".repeat(200_000) },
        typeUrl: CLUSTER.url,
      }),
    );
    stream.sendBytes(message);
    expect((await stream.next()).typeUrl).toBe(CLUSTER.url);
  });

  test("G2: a client that reads nothing is reset at its deadline, and changes do not pile up", async () => {
    const large = (version: number) => snapshot([cluster("c1", String(version).repeat(2 << 20))]);
    await using server = await startTestServer(large(0), { stallMsMax: 300 });
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.pause();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    await until(() => server.replies.length === 1, "the first response");
    for (let version = 1; version < 10; version++) server.set(large(version));
    await until(() => server.streams.size === 0, "the reset");
    expect(server.replies).toHaveLength(1);
    expect(server.flags).toEqual(["the proxy read nothing for 300 ms; its stream is reset"]);
  });
});

describe("strangers and old friends", () => {
  test("a stream whose first request does not come is ended", async () => {
    await using server = await startTestServer(one, { firstRequestMsMax: 50 });
    using client = connectScripted(server.port);
    expect(await client.delta().ended).toEqual({
      status: "4",
      message: "no request came in 50 ms",
    });
  });

  test("what a connection leaves unfinished is bounded over all of its streams", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const whole = frame(Buffer.alloc(30 << 20));
    const calls = Array.from({ length: 3 }, () => openCall(client.session, DELTA_ADS));
    const ended = calls.map((call) => once(call, "close").then(() => call));
    for (const call of calls) {
      call.on("error", () => {}); // reset by the server
      call.write(whole.subarray(0, 25 << 20));
    }
    const refused = await Promise.race(ended);
    expect(calls.filter((call) => call.destroyed)).toEqual([refused]);
  });

  test("an old connection takes no new stream, and its streams end", async () => {
    await using server = await startTestServer(one, { ageMsMax: 100 });
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    await stream.next();
    const goaway = once(client.session, "goaway");
    expect(await stream.ended).toEqual({
      status: "14",
      message: "the connection is old, make a new one",
    });
    await goaway;
    expect(client.session.closed).toBe(true);
  });
});

describe("sequences", () => {
  test("C4, C6 by barrier: an unsubscription is silent, a subscription is not", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    const typeUrl = ENDPOINT.url;
    stream.send({ node: NODE, typeUrl, resourceNamesSubscribe: ["e1"] });
    const first = await stream.next();
    stream.send({ typeUrl, responseNonce: first.nonce });
    stream.send({ typeUrl, resourceNamesUnsubscribe: ["e1"] });
    stream.send({ typeUrl, resourceNamesSubscribe: ["e1"] });
    const second = await stream.next();
    expect(second).toMatchObject({ nonce: "2", resources: [{ name: "e1" }] });
    expect(stream.waiting).toEqual([]);
  });

  test("D5: a refusal is told with its resources and its reason", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    const typeUrl = CLUSTER.url;
    stream.send({ node: NODE, typeUrl });
    const { nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, errorDetail: { code: 13, message: "bad c1" } });
    await until(() => server.answers.length === 1, "the refusal");
    expect(server.answers).toEqual([
      { type: discoveryType(typeUrl), refusal: "bad c1", names: ["c1"] },
    ]);
  });

  test("C9: an empty mesh is answered in both encodings", async () => {
    await using server = await startTestServer(snapshot([]));
    using client = connectScripted(server.port);
    for (const stream of [client.delta(), client.sotw()]) {
      stream.send({ node: NODE, typeUrl: LISTENER.url });
      expect((await stream.next()).resources).toEqual([]);
    }
  });

  test("G6: a server that stops ends its streams with UNAVAILABLE", async () => {
    await using server = await startTestServer(one);
    using client = connectScripted(server.port);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    await stream.next();
    await server[Symbol.asyncDispose]();
    expect((await stream.ended).status).toBe("14");
  });
});
