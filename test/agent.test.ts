// The agent with a real Envoy: secrets over SDS, rotation, crashes, and a clean end.

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import {
  createRegistry,
  type DescMessage,
  fromJson,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { type AgentOptions, startAgent } from "@weft/agent/main";
import { silentLogger, systemClock } from "@weft/core/runtime";
import { CLUSTER, LISTENER, type Snapshot, type SnapshotResource } from "@weft/core/stream";
import { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { RouterSchema } from "@weft/proto/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { DownstreamTlsContextSchema } from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installTools } from "../infra/tools.ts";
import { writeBootstrap } from "../services/agent/bootstrap.ts";
import { launchEnvoy } from "../services/agent/envoy-process.ts";
import {
  type IdentityServerOptions,
  startIdentityServer,
  TRUST_DOMAIN,
} from "./world/identity-server.ts";

const SHOP = `spiffe://${TRUST_DOMAIN}/ns/default/sa/shop`;

const { envoy: envoyPath } = installTools();

let folder: string;
let started: AsyncDisposableStack;

beforeEach(() => {
  started = new AsyncDisposableStack();
  folder = mkdtempSync(join(tmpdir(), "weft-agent-"));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
});

afterEach(() => started.disposeAsync());

/** Options of the workload `shop` under a server that takes one token for it. */
async function shopUnder(options: IdentityServerOptions = {}) {
  const server = started.use(await startIdentityServer(options));
  server.tokens.set("once", SHOP);
  const agentOptions: AgentOptions = {
    server: server.address,
    rootPem: server.rootPem,
    trustDomain: TRUST_DOMAIN,
    token: "once",
    name: "shop-1",
    namespace: "default",
    serviceAccount: "shop",
    labels: { app: "shop" },
    ip: "127.0.0.1",
    type: "sidecar",
    inbound: [],
    adminPort: 0,
    healthPort: 0,
    envoyPath,
    folder: join(folder, "shop-1"),
    clock: systemClock,
    log: silentLogger,
  };
  return { server, agentOptions };
}

test("envoy gets secrets, and configuration over mTLS with them", async () => {
  const port = await freePort();
  const { server, agentOptions } = await shopUnder({ snapshot: greeting(port) });
  const agent = started.use(await startAgent(agentOptions));
  await agent.ready;
  const { certificate, body } = await greet(port);
  expect(body).toContain("200 OK");
  expect(certificate.serialNumber).toBe(agent.identity().serial);
  expect(certificate.subjectaltname).toBe(`URI:${SHOP}`);
  expect(server.proxies).toEqual([SHOP]);
  expect(server.issued.map(({ proof }) => proof)).toEqual(["token once"]);
  expect(await agent.reason()).toBeUndefined();
  const health = await fetch(`http://127.0.0.1:${agent.healthPort}/healthz/ready`);
  expect(health.status).toBe(200);
});

test("a renewed certificate is shown to new connections, and old ones go on", async () => {
  const port = await freePort();
  const { server, agentOptions } = await shopUnder({ snapshot: greeting(port), ttlMs: 12_000 });
  const agent = started.use(await startAgent(agentOptions));
  await agent.ready;
  const old = await openTls(port);
  const first = old.getPeerCertificate().serialNumber;
  await until("a second serial", async () => {
    const { certificate } = await greet(port);
    return certificate.serialNumber !== first;
  });
  const { proof } = server.issued[1] ?? {};
  expect(proof).toBe(SHOP);
  expect(server.issued.length).toBeLessThan(5);
  expect(await exchange(old)).toContain("200 OK");
  old.destroy();
});

test("an envoy that crashes is started again with everything it had", async () => {
  const port = await freePort();
  const { server, agentOptions } = await shopUnder({ snapshot: greeting(port) });
  const agent = started.use(await startAgent(agentOptions));
  await agent.ready;
  const before = agent.envoyPid;
  process.kill(before ?? 0, "SIGKILL");
  await until("the second envoy", () => Promise.resolve(agent.envoyRestarts === 1));
  await until("its listener", async () => (await greet(port)).body.includes("200 OK"));
  expect(agent.envoyPid).not.toBe(before);
  expect(server.issued).toHaveLength(1);
});

test("a stop leaves no process and no socket", async () => {
  const { agentOptions } = await shopUnder();
  const agent = await startAgent(agentOptions);
  await agent.ready;
  const pid = agent.envoyPid ?? 0;
  expect(isRunning(pid)).toBe(true);
  await agent[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(false);
  const left = readdirSync(agentOptions.folder).sort();
  expect(left).toEqual(["envoy.address", "envoy.json"]);
});

test("a stop lets a request under way end", async () => {
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const app = createHttpServer((request, response) => {
    if (request.url !== "/slow") return void response.end("now");
    asked.resolve();
    void answer.promise.then(() => response.end("late"));
  });
  started.defer(() => void app.close());
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const port = await freePort();
  const appPort = (app.address() as AddressInfo).port;
  const { agentOptions } = await shopUnder({ snapshot: greeting(port, appPort) });
  const agent = await startAgent({ ...agentOptions, stopDrainMs: 30_000 });
  await agent.ready;
  const socket = await openTls(port);
  const response = exchange(socket, "/slow");
  await asked.promise;
  const stopped = agent[Symbol.asyncDispose]();
  await until("clients to be told", async () => /connection: close/.test((await greet(port)).body));
  expect(await agent.reason()).toBe("the agent stops");
  answer.resolve();
  expect(await response).toMatch(/200 OK.*connection: close/s);
  await stopped;
});

test("the key stays in memory unless a folder for it is named", async () => {
  const { server, agentOptions } = await shopUnder();
  const stateFolder = join(folder, "state");
  const agent = await startAgent({ ...agentOptions, stateFolder });
  expect(agent.identity()).not.toHaveProperty("keyPem");
  for (const file of readdirSync(agentOptions.folder)) {
    if (file.endsWith(".sock")) continue;
    expect(readFileSync(join(agentOptions.folder, file), "utf8")).not.toContain("PRIVATE KEY");
  }
  await agent[Symbol.asyncDispose]();
  // A restart without a token.
  server.tokens.clear();
  const { token: _spent, ...withoutToken } = agentOptions;
  const again = started.use(await startAgent({ ...withoutToken, stateFolder }));
  expect(again.identity()).toEqual(agent.identity());
  expect(server.issued).toHaveLength(1);
});

test("a token that is refused ends the start at once", async () => {
  const { agentOptions } = await shopUnder();
  const start = startAgent({ ...agentOptions, token: "forged" });
  await expect(start).rejects.toThrow(/^agent\.refused: .*no such token/);
  expect(existsSync(join(agentOptions.folder, "sds.sock"))).toBe(false);
});

test("a token is not shown to a server that is not the control plane", async () => {
  const { server, agentOptions } = await shopUnder({ spiffeId: SHOP });
  const start = startAgent({ ...agentOptions, startMsMax: 1_000 });
  await expect(start).rejects.toThrow(/^agent\.unreachable: .*not spiffe:.*weft-system/);
  expect(server.issued).toEqual([]);
});

test("a certificate for somebody else is refused", async () => {
  const { server, agentOptions } = await shopUnder();
  server.tokens.set("once", `spiffe://${TRUST_DOMAIN}/ns/default/sa/other`);
  const start = startAgent({ ...agentOptions, startMsMax: 1_000 });
  await expect(start).rejects.toThrow(/^agent\.bad_certificate: .*sa\/other, not for/);
});

test("a second agent in the same folder is refused, and the first goes on", async () => {
  const { server, agentOptions } = await shopUnder();
  const agent = started.use(await startAgent(agentOptions));
  server.tokens.set("another", SHOP);
  await expect(startAgent({ ...agentOptions, token: "another" })).rejects.toThrow(
    /^agent\.bad_folder: another agent/,
  );
  await agent.ready;
});

test("an envoy that cannot start says why", async () => {
  const blocker = createServer();
  started.defer(() => void blocker.close());
  blocker.listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const { agentOptions } = await shopUnder();
  const { port: adminPort } = blocker.address() as AddressInfo;
  await expect(startAgent({ ...agentOptions, adminPort })).rejects.toThrow(
    /^agent\.envoy_failed: .*Address already in use/,
  );
  const absent = startAgent({ ...agentOptions, envoyPath: join(folder, "no-envoy") });
  await expect(absent).rejects.toThrow(/^agent\.no_envoy: /);
});

test("an envoy whose agent was killed is gone once the next one starts", async () => {
  const options = {
    program: envoyPath,
    folder,
    bootstrap: writeBootstrap(bootstrapOptions({ security: "plaintext", server: "127.0.0.1:9" })),
    concurrency: 1,
    drainSeconds: 1,
  };
  const module = resolve(import.meta.dirname, "../services/agent/envoy-process.ts");
  const script = `
    import { launchEnvoy } from ${JSON.stringify(module)};
    const log = { warn() {}, error() {}, child: () => log };
    const { child } = await launchEnvoy({ ...${JSON.stringify(options)}, log });
    console.log(child.pid);
  `;
  const killed = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(killed.stdout, "data")) as [Buffer];
  const orphan = Number(String(line));
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const next = await launchEnvoy({ ...options, log: silentLogger });
  expect(isRunning(orphan)).toBe(false);
  next.child.kill("SIGKILL");
  await next.exited;
});

test("envoy takes every shape of bootstrap", async () => {
  const serverSpiffeId = `spiffe://${TRUST_DOMAIN}/ns/weft-system/sa/weft`;
  for (const [name, xds] of Object.entries({
    address: { security: "mtls", server: "127.0.0.1:15012", serverSpiffeId },
    name: { security: "mtls", server: "weft.mesh.test:15012", serverSpiffeId },
    version6: { security: "mtls", server: "[::1]:15012", serverSpiffeId },
    plaintext: { security: "plaintext", server: "localhost:15010" },
  } as const)) {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, writeBootstrap(bootstrapOptions(xds)));
    const args = ["--mode", "validate", "-c", path, "--disable-hot-restart"];
    const { stdout, stderr } = await promisify(execFile)(envoyPath, args);
    expect(`${stdout}${stderr}`, name).toContain("OK");
    expect(stderr, name).not.toMatch(/\[(warning|error)\]|deprecated/i);
  }
});

function bootstrapOptions(
  xds: Parameters<typeof writeBootstrap>[0]["xds"],
): Parameters<typeof writeBootstrap>[0] {
  return {
    type: "sidecar",
    name: "shop-1",
    namespace: "default",
    serviceAccount: "shop",
    labels: { app: "shop" },
    ip: "127.0.0.1",
    inbound: [{ port: 8000, endpoint: "127.0.0.1:3001" }],
    httpProxyPort: 15001,
    xds,
    admin: { host: "127.0.0.1", port: 0 },
    secretPath: join(folder, "sds.sock"),
  };
}

/** A listener that greets over TLS with the workload's certificate, or lets an application do it. */
function greeting(port: number, appPort?: number): Snapshot {
  const action: Record<string, JsonValue> =
    appPort === undefined ? { directResponse: { status: 200 } } : { route: { cluster: "app" } };
  const secret = (name: string): JsonValue => ({
    name,
    sdsConfig: {
      resourceApiVersion: "V3",
      apiConfigSource: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        grpcServices: [{ envoyGrpc: { clusterName: "sds-grpc" } }],
      },
    },
  });
  const any = (schema: DescMessage, value: Record<string, JsonValue>): JsonValue => ({
    "@type": `type.googleapis.com/${schema.typeName}`,
    ...value,
  });
  const json: JsonValue = {
    name: "greeting",
    address: { socketAddress: { address: "127.0.0.1", portValue: port } },
    filterChains: [
      {
        transportSocket: {
          name: "envoy.transport_sockets.tls",
          typedConfig: any(DownstreamTlsContextSchema, {
            commonTlsContext: {
              tlsCertificateSdsSecretConfigs: [secret("default")],
              validationContextSdsSecretConfig: secret("ROOTCA"),
            },
          }),
        },
        filters: [
          {
            name: "hcm",
            typedConfig: any(HttpConnectionManagerSchema, {
              statPrefix: "greeting;",
              httpFilters: [{ name: "router", typedConfig: any(RouterSchema, {}) }],
              routeConfig: {
                virtualHosts: [
                  {
                    name: "all",
                    domains: ["*"],
                    routes: [{ match: { prefix: "/" }, ...action }],
                  },
                ],
              },
            }),
          },
        ],
      },
    ],
  };
  const registry = createRegistry(
    DownstreamTlsContextSchema,
    HttpConnectionManagerSchema,
    RouterSchema,
  );
  const listener = anyPack(ListenerSchema, fromJson(ListenerSchema, json, { registry }));
  const cluster = anyPack(ClusterSchema, fromJson(ClusterSchema, appCluster(appPort ?? 0)));
  return new Map([
    [CLUSTER.url, appPort === undefined ? new Map() : resourceNamed("app", cluster)],
    [LISTENER.url, resourceNamed("greeting", listener)],
  ]);
}

function appCluster(port: number): JsonValue {
  const address = { socketAddress: { address: "127.0.0.1", portValue: port } };
  return {
    name: "app",
    type: "STATIC",
    loadAssignment: {
      clusterName: "app",
      endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }],
    },
  };
}

function resourceNamed(name: string, any: Any): ReadonlyMap<string, SnapshotResource> {
  const body = toBinary(AnySchema, any);
  const version = createHash("sha256").update(body).digest("hex");
  return new Map([[name, { name, version, body }]]);
}

async function openTls(port: number): Promise<TLSSocket> {
  // The test looks at the certificate itself.
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect", { signal: AbortSignal.timeout(20_000) });
  return socket;
}

async function exchange(socket: TLSSocket, path = "/"): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nhost: shop\r\n\r\n`);
  const [chunk] = (await once(socket, "data", { signal: AbortSignal.timeout(20_000) })) as [Buffer];
  return chunk.toString("utf8");
}

async function greet(
  port: number,
): Promise<{ readonly certificate: DetailedPeerCertificate; readonly body: string }> {
  const socket = await openTls(port);
  try {
    return { certificate: socket.getPeerCertificate(true), body: await exchange(socket) };
  } finally {
    socket.destroy();
  }
}

/** Tries until it holds; what throws meanwhile does not hold. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 40_000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    await delay(50);
  }
  throw new Error(`waited 40 s for ${what}`, { cause: last });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // no such process
  }
  // Nobody may have taken note of an orphan's end yet; what is left of it runs no more.
  const path = `/proc/${pid}/stat`;
  return !existsSync(path) || !/\) Z /.test(readFileSync(path, "utf8"));
}
