import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ControlService, ErrorDetailSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import { ProxyReportSchema } from "@weft/proto/weft/status/v1/proxy_pb.ts";
import { buildPlugin } from "@weft/sdk/build";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type ControlWorld, connectTo, startControlWorld } from "./world/control.ts";

let world: ControlWorld;

beforeAll(async () => {
  world = await startControlWorld();
});

afterAll(() => world[Symbol.asyncDispose]());

function service(name: string): { path: string; text: string } {
  const text = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}.example.com]
  resolution: DNS
  ports: [{ number: 80, name: http, protocol: HTTP }]
`;
  return { path: `${name}.yaml`, text };
}

/** A call as curl makes it. */
async function post(method: string, request: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${world.url}/weft.control.v1.ControlService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(request),
  });
  // biome-ignore lint/suspicious/noExplicitAny: JSON is whatever the assertions find in it.
  const body = (await response.json()) as any;
  return { status: response.status, body };
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error(`not refused, but ${error}`);
  return error.findDetails(ErrorDetailSchema)[0]?.code ?? Code[error.code];
}

test("plain HTTP with JSON is all it takes to change the mesh and to see it", async () => {
  const applied = await post("Apply", { documents: [service("json")] });
  expect(applied).toEqual({
    status: 200,
    body: {
      revision: expect.stringMatching(/^\d+$/),
      changes: [
        {
          operation: "OPERATION_CREATE",
          ref: { kind: "ServiceEntry", namespace: "default", name: "json" },
        },
      ],
    },
  });
  const ref = { kind: "ServiceEntry", namespace: "default", name: "json" };
  const { body } = await post("Get", { ref });
  expect(body.resource.manifest.spec.hosts).toEqual(["json.example.com"]);
});

test("an error over plain HTTP has a status, a code and its number", async () => {
  const ref = { kind: "ServiceEntry", namespace: "default", name: "ghost" };
  const { status, body } = await post("Get", { ref });
  expect([status, body.code, body.details[0].debug.number]).toEqual([404, "not_found", "WEFT0120"]);
});

test("what only reads can be fetched with GET", async () => {
  const query = "encoding=json&message=%7B%7D&connect=v1";
  const url = `${world.url}/weft.control.v1.ControlService/ListPlugins?${query}`;
  const response = await fetch(url);
  expect([response.status, await response.json()]).toEqual([200, {}]);
});

test("HTTP/2 without TLS answers on the same port, gRPC too", async () => {
  const api = connectTo(world.url, "2");
  const { headRevision } = await api.listProxies({});
  expect(headRevision).toBeGreaterThanOrEqual(1n);
  const grpc = createClient(ControlService, createGrpcTransport({ baseUrl: world.url }));
  expect((await grpc.listProxies({})).headRevision).toBe(headRevision);
});

test("a connection that speaks neither is answered and closed", async () => {
  const { hostname, port } = new URL(world.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write("\u0000\u0001not http\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
});

test("a request that is too large is refused before it is read whole", async () => {
  const text = "#".repeat(9 * 1024 * 1024);
  const call = world.api.apply({ documents: [{ path: "large.yaml", text }] });
  expect(await codeOf(call)).toBe("ResourceExhausted");
});

test("a page of another site cannot call", async () => {
  const { status } = await post("ListProxies", {}, { origin: "https://evil.example" });
  expect(status).toBe(403);
});

test("two replicas decide on one log: of two that expect the same base, one wins", async () => {
  const other = connectTo(`http://${(await world.startReplica()).address}`);
  const { headRevision: base } = await world.api.listProxies({});
  const outcomes = await Promise.allSettled(
    [world.api, other].map((api, index) =>
      api.apply({
        documents: [service(`race-${index}`)],
        mutation: { expectedBase: base },
      }),
    ),
  );
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const lost = outcomes.find((outcome) => outcome.status === "rejected");
  expect(await codeOf(Promise.reject(lost?.reason))).toBe("control.stale_base");
});

test("replicas that race without a base both get through, one after the other", async () => {
  const other = connectTo(`http://${(await world.startReplica()).address}`);
  const applies = [world.api, other].flatMap((api, replica) =>
    [0, 1, 2].map((index) => api.apply({ documents: [service(`both-${replica}-${index}`)] })),
  );
  const revisions = (await Promise.all(applies)).map(({ revision }) => revision);
  expect(new Set(revisions).size).toBe(6);
});

test("a replica that starts later answers the same history", async () => {
  const other = connectTo(`http://${(await world.startReplica()).address}`);
  expect(await other.log({ limit: 1000 })).toEqual(await world.api.log({ limit: 1000 }));
  const { revision } = await world.api.list({});
  for (let at = 1n; at <= revision; at++) {
    expect(await other.list({ at })).toEqual(await world.api.list({ at }));
  }
});

test("proxies are those that replicas tell of on NATS", async () => {
  const report = create(ProxyReportSchema, {
    replica: "a",
    proxies: [{ id: "sidecar~127.0.7.1~shop-1.default~x", replica: "a", state: "SYNCED" }],
  });
  world.nats.publish(`weft.${world.mesh}.hb.a`, toBinary(ProxyReportSchema, report));
  // The subscription of the role is on the same connection: the server answers in order.
  await world.nats.flush();
  await expect.poll(async () => (await world.api.listProxies({})).proxies).toEqual(report.proxies);
});

test("a plugin is gated, stored, published, and not deleted while it is named", async () => {
  const { wasm, sha256 } = await buildPlugin(resolve("extensions/header-stamp"));
  const pushed = await world.api.pushPlugin({ name: "stamp", version: "1", module: wasm });
  expect([pushed.digest, pushed.unchanged]).toEqual([sha256, false]);
  const again = await world.api.pushPlugin({ name: "stamp", module: wasm });
  expect([again.revision, again.unchanged]).toEqual([pushed.revision, true]);
  const { plugins } = await world.api.listPlugins({});
  expect(plugins.map(({ name, version, digest }) => ({ name, version, digest }))).toEqual([
    { name: "stamp", version: "1", digest: sha256 },
  ]);
  const text = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: stamp }
spec: { url: weft://stamp }
`;
  await world.api.apply({ documents: [{ path: "stamp.yaml", text }] });
  const refs = [{ kind: "Plugin", namespace: "", name: "stamp" }];
  expect(await codeOf(world.api.delete({ refs }))).toBe("plugin.in_use");
  expect(await codeOf(world.api.rollback({ revision: pushed.revision }))).toBe("plugin.in_use");
  const named = [{ kind: "WasmPlugin", namespace: "default", name: "stamp" }];
  const { revision } = await world.api.delete({ refs: named });
  await world.api.delete({ refs });
  // Nor does what names it come back without it.
  expect(await codeOf(world.api.rollback({ revision }))).toBe("control.refused");
  expect((await world.api.listPlugins({})).plugins).toEqual([]);
});

test("with a token file, only who brings the token is answered", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weft-control-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "correct-horse-battery\n");
  const { address } = await world.startReplica({ tokenFile });
  const call = (authorization: string) =>
    connectTo(`http://${address}`).listProxies({}, { headers: { authorization } });
  expect(await codeOf(call("Bearer wrong-horse-battery"))).toBe("control.denied");
  const token = readFileSync(tokenFile, "utf8").trim();
  expect((await call(`Bearer ${token}`)).headRevision).toBeGreaterThanOrEqual(1n);
});
