// What Istio's documentation promises of a rule is what a real Envoy does with a request.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { startAgent } from "@weft/agent/main";
import { silentLogger, systemClock } from "@weft/core/runtime";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { get, type Response, until } from "../../infra/demo/story.ts";
import { installTools } from "../../infra/tools.ts";
import { applyText, freeBlock, startWorld } from "../world/world.ts";

const HTTP_PROXY_PORT = 15001;

const started = new AsyncDisposableStack();
const ip = `${freeBlock()}.1`;

/** What the service was asked for, in order. */
let asked: string[] = [];

function serve({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
  asked.push(`${headers.host}${url}`);
  // Never answered: only a timeout of the mesh ends the request.
  if (url === "/slow") return;
  response.statusCode = url === "/failing" ? 503 : 200;
  response.end(`${headers["x-envoy-attempt-count"]}`);
}

const rules = (port: number): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stock }
spec:
  hosts: [stock.example, shadow.example]
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${port} }]
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: stock }
spec:
  hosts: [stock.example]
  http:
    - match: [{ uri: { exact: /slow }, headers: { kind: { exact: whole } } }]
      timeout: 0.3s
      route: [{ destination: { host: stock.example } }]
    - match: [{ uri: { exact: /slow } }]
      timeout: 60s
      retries: { attempts: 2, perTryTimeout: 0.2s, retryOn: "gateway-error" }
      route: [{ destination: { host: stock.example } }]
    - match: [{ uri: { exact: /failing } }]
      retries: { attempts: 3, retryOn: "503" }
      route: [{ destination: { host: stock.example } }]
    - match: [{ uri: { prefix: /old/ }, queryParams: { to: { exact: new } } }]
      redirect: { uri: /new, authority: elsewhere.example, redirectCode: 308 }
    - match: [{ uri: { prefix: /old/ } }]
      rewrite: { uri: /new/, authority: renamed.example }
      route: [{ destination: { host: stock.example } }]
    - match: [{ uri: { exact: /copied } }]
      mirror: { host: shadow.example }
      route: [{ destination: { host: stock.example } }]
`;

beforeAll(async () => {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  started.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const world = started.use(await startWorld());
  const { roots, trustDomain } = await world.control.api.getRoots({});
  const { token } = await world.control.api.createToken({
    namespace: "default",
    serviceAccount: "shop",
    mutation: { commandId: crypto.randomUUID(), actor: "test" },
  });
  const agent = await startAgent({
    server: world.control.addresses.xds,
    rootPem: roots.join(""),
    trustDomain,
    token,
    name: "shop-1",
    namespace: "default",
    serviceAccount: "shop",
    labels: { app: "shop" },
    ip,
    type: "sidecar",
    inbound: [],
    httpProxyPort: HTTP_PROXY_PORT,
    adminPort: 0,
    envoyPath: installTools().envoy,
    folder: join(world.folder, "shop-1"),
    stopDrainMs: 0,
    clock: systemClock,
    log: silentLogger,
  });
  started.use(agent);
  await applyText(world.control, rules((server.address() as AddressInfo).port));
  await until("the rules", async () => (await ask("/old/?to=new")).status === 308);
}, 120_000);

afterAll(() => started.disposeAsync());

beforeEach(() => {
  asked = [];
});

/** Asks for a page of `stock.example` through the HTTP proxy of the sidecar. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return get(`http://${ip}:${HTTP_PROXY_PORT}${path}`, { ...headers, host: "stock.example" });
}

test("a timeout ends a request that takes longer, and is not repeated", async () => {
  expect(await ask("/slow", { kind: "whole" })).toMatchObject({ status: 504 });
  expect(asked).toEqual(["stock.example/slow"]);
});

test("a timeout of each try ends that try, and the tries are counted", async () => {
  expect(await ask("/slow")).toMatchObject({ status: 504 });
  expect(asked).toHaveLength(3);
});

test("a failing request is tried as often as the rule says, and once before", async () => {
  expect(await ask("/failing")).toMatchObject({ status: 503, body: "4" });
  expect(asked).toHaveLength(4);
});

test("a redirect names the new place and asks nobody", async () => {
  const { status, headers } = await ask("/old/page?to=new");
  expect({ status, location: headers["location"] }).toEqual({
    status: 308,
    location: "http://elsewhere.example/new?to=new",
  });
  expect(asked).toEqual([]);
});

test("a rewrite changes the path's beginning and the host", async () => {
  expect(await ask("/old/page?to=old")).toMatchObject({ status: 200, body: "1" });
  expect(asked).toEqual(["renamed.example/new/page?to=old"]);
});

test("a mirror gets the same request, and its answer nobody", async () => {
  expect(await ask("/copied")).toMatchObject({ status: 200 });
  await until("the copy", async () => asked.length === 2);
  expect(asked).toEqual(["stock.example/copied", "stock.example/copied"]);
});
