// Workloads prove who they are: mTLS between sidecars, and STRICT refuses everything else.

import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { get, until } from "../../infra/demo/story.ts";
import { getPage } from "../../infra/demo/traffic.ts";
import { startShop, startWorld, type World } from "../world/world.ts";

let world: World;
let shop: Bookinfo;

beforeAll(async () => {
  world = await startWorld();
  shop = await startShop(world);
  await world.weft("apply", "-f", "gateway.yaml", "-f", "versions.yaml");
  await until("the page", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
}, 120_000);

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function ipOf(name: string): string {
  return shop.workloads.find((workload) => workload.name === name)?.ip ?? "";
}

/** A counter of one workload's Envoy, summed over what matches. */
async function stat(workload: string, pattern: string): Promise<number> {
  const admin = shop.agents.get(workload)?.adminUrl;
  const { body } = await get(`${admin}/stats?filter=${encodeURIComponent(pattern)}`);
  return [...body.matchAll(/: (\d+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
}

test("every hop between sidecars is mTLS, also while plaintext is still allowed", async () => {
  const handshakes = await stat("details-v1", "listener\\..*ssl\\.handshake");
  expect(handshakes).toBeGreaterThan(0);
  expect(await stat("productpage-v1", "cluster\\.outbound.*details.*ssl\\.fail_verify")).toBe(0);
});

test("STRICT refuses plaintext, and a stranger's certificate", async () => {
  const direct = `http://${ipOf("ratings-v1")}:9080/ratings/0`;
  expect((await get(direct)).status).toBe(200);
  const { code } = await world.weft("apply", "-f", "strict.yaml");
  expect(code).toBe(0);
  await until("plaintext to be refused", async () => (await get(direct)).status === 0);
  const page = await getPage(shop.gatewayUrl);
  expect([page.status, page.reviews, page.detailsStatus]).toEqual([200, "v1", 200]);
  await expect(handshakeWithoutCertificate(ipOf("ratings-v1"))).rejects.toThrow();
});

test("no name in a proxy's node lets it have another's configuration", async () => {
  const { proxies } = await world.control.api.listProxies({});
  const ids = proxies.map(({ spiffeId }) => spiffeId).sort();
  const expected = shop.workloads.map(
    ({ serviceAccount }) => `spiffe://cluster.local/ns/default/sa/${serviceAccount}`,
  );
  expect(ids).toEqual(expected.sort());
});

/** TLS without a client certificate, then one byte: TLS 1.3 refuses only after the handshake. */
function handshakeWithoutCertificate(host: string): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect({
      host,
      port: 9080,
      rejectUnauthorized: false,
      ALPNProtocols: ["istio"],
    });
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nhost: ratings\r\n\r\n"));
    socket.on("data", () => done());
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("closed")));
  });
}
