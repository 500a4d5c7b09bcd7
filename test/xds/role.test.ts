import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  connectNats,
  createMemoryBlobs,
  createMemoryJournal,
  ensureGenesis,
  type Journal,
} from "@weft/core/journal";
import { createMonitor, silentLogger, systemClock } from "@weft/core/runtime";
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from "@weft/core/stream";
import { type ProxyReport, ProxyReportSchema } from "@weft/proto/weft/status/v1/proxy_pb.ts";
import { startXds } from "@weft/xds/main";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNats } from "../world/nats.ts";
import { connectScripted, NODE } from "./client.ts";
import { listen, until } from "./server.ts";

const MESH = "test";

describe("the xDS role", () => {
  let stack: AsyncDisposableStack;
  let nats: NatsConnection;
  const reports: ProxyReport[] = [];

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const server = stack.use(await startNats());
    nats = await connectNats(server.url, { name: "xds-test" });
    stack.defer(() => nats.close());
    nats.subscribe(`weft.${MESH}.hb.*`, {
      callback: (_, { data }) => void reports.push(fromBinary(ProxyReportSchema, data)),
    });
  });
  afterAll(() => stack.disposeAsync());

  async function startRole(replica: string, journal: Journal) {
    const monitor = createMonitor();
    const [clock, log] = [systemClock, silentLogger];
    const context = { mesh: MESH, replica, nats, clock, log, monitor };
    const role = await startXds(context, { journal, blobs: createMemoryBlobs() });
    const [plain, tls] = [await listen(role.plaintextRoutes), await listen(role.tlsRoutes)];
    return {
      monitor,
      role,
      plainPort: plain.port,
      tlsPort: tls.port,
      async [Symbol.asyncDispose]() {
        await role[Symbol.asyncDispose]();
        await plain[Symbol.asyncDispose]();
        await tls[Symbol.asyncDispose]();
      },
    };
  }

  async function youngLog(): Promise<Journal> {
    const journal = createMemoryJournal();
    const newId = () => crypto.randomUUID();
    await ensureGenesis(journal, { mesh: MESH, trustDomain: "td", clock: systemClock, newId });
    return journal;
  }

  const last = (replica: string) =>
    reports.filter((report) => report.replica === replica).at(-1)?.proxies[0];

  test("serves what the log holds, and reports what a proxy has taken of it", async () => {
    await using role = await startRole("weft-a", await youngLog());
    using client = connectScripted(role.plainPort);
    const stream = client.delta();
    const startedAtMs = Date.now();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    const clusters = await stream.next();
    expect(clusters.controlPlane?.identifier).toBe("weft-a");
    stream.send({ typeUrl: CLUSTER.url, responseNonce: clusters.nonce });
    stream.send({ typeUrl: LISTENER.url });
    const listeners = await stream.next();
    expect(listeners.resources.length).toBeGreaterThan(0);
    stream.send({ typeUrl: LISTENER.url, responseNonce: listeners.nonce });
    await until(() => last("weft-a")?.state === "SYNCED", "a report of SYNCED");
    const status = last("weft-a");
    expect(status).toMatchObject({
      id: NODE.id,
      replica: "weft-a",
      ackedRevision: 1n,
      spiffeId: "",
      resourcesSent: BigInt(clusters.resources.length + listeners.resources.length),
    });
    expect(status?.types.map(({ type, acks, nacks }) => ({ type, acks, nacks }))).toEqual([
      { type: "CDS", acks: 1n, nacks: 0n },
      { type: "LDS", acks: 1n, nacks: 0n },
    ]);
    const ackedAt = status?.ackedAt;
    expect(ackedAt && timestampMs(ackedAt)).toBeGreaterThanOrEqual(startedAtMs);
    expect(role.monitor.render()).toContain('weft_xds_pushes_total{type="CDS"} 1');
    expect(role.monitor.render()).toContain("weft_xds_connected_proxies 1");
  });

  test("D5: reports a refusal with its reason and its resources", async () => {
    await using role = await startRole("weft-b", await youngLog());
    using client = connectScripted(role.plainPort);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: LISTENER.url });
    const { nonce, resources } = await stream.next();
    const errorDetail = { code: 13, message: "no such filter" };
    stream.send({ typeUrl: LISTENER.url, responseNonce: nonce, errorDetail });
    await until(() => last("weft-b")?.state === "NACKED", "a report of NACKED");
    expect(last("weft-b")?.types).toMatchObject([
      {
        type: "LDS",
        nacks: 1n,
        nack: "no such filter",
        nackedResources: resources.map(({ name }) => name),
      },
    ]);
  });

  test("F4: half a log is not served", async () => {
    const whole = await youngLog();
    const half: Journal = { ...whole, last: async () => 5 };
    await using role = await startRole("weft-c", half);
    expect(role.monitor.reasons()).toEqual(["xds: the log is being read"]);
    using client = connectScripted(role.plainPort);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    expect(await stream.ended).toEqual({
      status: "14",
      message: "xds.not_ready: the log is being read",
    });
  });

  test("a client without a certificate is denied where one is asked for", async () => {
    await using role = await startRole("weft-d", await youngLog());
    using client = connectScripted(role.tlsPort);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    expect(await stream.ended).toMatchObject({ status: "7" });
    // Before it has said anything: its requests would be held in memory.
    expect(await client.delta().ended).toMatchObject({ status: "7" });
    expect(role.role.proxies.list()).toEqual([]);
  });

  test("a node that says nothing of use is refused with the reason", async () => {
    await using role = await startRole("weft-e", await youngLog());
    using client = connectScripted(role.plainPort);
    const stream = client.delta();
    stream.send({ node: { id: "me" }, typeUrl: CLUSTER.url });
    expect((await stream.ended).message).toContain('node id "me" is not sidecar|router');
  });

  test("C11: a proxy that moves to another replica of the same log gets nothing again", async () => {
    const journal = await youngLog();
    await using first = await startRole("weft-f", journal);
    await using second = await startRole("weft-g", journal);
    using client = connectScripted(first.plainPort);
    const stream = client.delta();
    stream.send({ node: NODE, typeUrl: CLUSTER.url });
    const { resources } = await stream.next();
    const held = Object.fromEntries(resources.map(({ name, version }) => [name, version]));
    using moved = connectScripted(second.plainPort);
    const again = moved.delta();
    again.send({ node: NODE, typeUrl: CLUSTER.url, initialResourceVersions: held });
    // A barrier: an absent endpoint is answered at once, so silence before it is silence.
    again.send({ typeUrl: ENDPOINT.url, resourceNamesSubscribe: ["absent"] });
    expect(await again.next()).toMatchObject({
      typeUrl: ENDPOINT.url,
      removedResources: ["absent"],
    });
    again.send({ typeUrl: ROUTE.url, resourceNamesSubscribe: ["absent"] });
    expect(again.waiting).toEqual([]);
  });
});
