// A user applies routes, and real Envoys act on them.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { get, until } from "../../infra/demo/story.ts";
import { countVersions, getPage } from "../../infra/demo/traffic.ts";
import { CORPUS, startShop, startWorld, type World } from "../world/world.ts";

const REQUESTS = 2_000;
const TOLERANCE_POINTS = 3;
const networking = join(CORPUS, "istio-samples/bookinfo/networking");

let world: World;
let shop: Bookinfo;

beforeAll(async () => {
  world = await startWorld();
  shop = await startShop(world);
}, 120_000);

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function apply(...files: string[]): Promise<void> {
  const { code, stderr } = await world.weft("apply", ...files.flatMap((file) => ["-f", file]));
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
}

const jason = { "end-user": "jason" };

test("our own files: a gateway, versions, a 90/10 split, a fault for one user", async () => {
  await apply("gateway.yaml", "versions.yaml");
  await until("the page", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
  await apply("canary.yaml");
  await until("v3", async () => (await getPage(shop.gatewayUrl)).reviews === "v3");
  const seen = await countVersions(shop.gatewayUrl, REQUESTS);
  expect([...seen.keys()].sort()).toEqual(["v1", "v3"]);
  const percent = (100 * (seen.get("v3") ?? 0)) / REQUESTS;
  expect(Math.abs(percent - 10)).toBeLessThanOrEqual(TOLERANCE_POINTS);
  await apply("fault.yaml");
  await until("the fault", async () => {
    return (await getPage(shop.gatewayUrl, jason)).detailsStatus === 555;
  });
  expect((await getPage(shop.gatewayUrl)).detailsStatus).toBe(200);
});

describe("Istio's bookinfo files apply unchanged", () => {
  test("they route as their authors say", async (context) => {
    if (!existsSync(networking)) context.skip("skipped: corpus not present");
    for (const kind of ["VirtualService", "DestinationRule", "Gateway"]) {
      const { resources } = await world.control.api.list({ kind });
      const refs = resources.flatMap(({ ref }) => (ref === undefined ? [] : [ref]));
      await world.control.api.delete({
        refs,
        mutation: { commandId: crypto.randomUUID(), actor: "test" },
      });
    }
    const file = (name: string): string => join(networking, `${name}.yaml`);
    await apply(file("bookinfo-gateway"), file("destination-rule-all"));
    await apply(file("virtual-service-all-v1"));
    await until("v1 only", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
    expect([...(await countVersions(shop.gatewayUrl, 60))]).toEqual([["v1", 60]]);

    await apply(file("virtual-service-reviews-90-10"));
    await until("v2", async () => (await getPage(shop.gatewayUrl)).reviews === "v2");
    const seen = await countVersions(shop.gatewayUrl, REQUESTS);
    expect([...seen.keys()].sort()).toEqual(["v1", "v2"]);
    const percent = (100 * (seen.get("v2") ?? 0)) / REQUESTS;
    expect(Math.abs(percent - 10)).toBeLessThanOrEqual(TOLERANCE_POINTS);
  });

  test("the ratings faults reach jason and nobody else", async (context) => {
    if (!existsSync(networking)) context.skip("skipped: corpus not present");
    const file = (name: string): string => join(networking, `${name}.yaml`);
    await apply(file("virtual-service-reviews-v3"));
    await until("v3", async () => (await getPage(shop.gatewayUrl)).reviews === "v3");
    await apply(file("virtual-service-ratings-test-abort"));
    const starsOf = async (headers = {}) => (await getPage(shop.gatewayUrl, headers)).stars;
    await until("the abort", async () => (await starsOf(jason)) === false);
    expect(await starsOf()).toBe(true);

    await apply(file("virtual-service-ratings-test-delay"));
    const delays = async (): Promise<number> => {
      // reviews-v3 asks ratings, so its Envoy is the one that holds the request back.
      const admin = shop.agents.get("reviews-v3")?.adminUrl;
      const stats = await get(`${admin}/stats?filter=fault.delays_injected`);
      const values = [...stats.body.matchAll(/delays_injected: (\d+)/g)];
      return values.reduce((sum, [, value]) => sum + Number(value), 0);
    };
    const before = await delays();
    await until("the delay", async () => {
      await getPage(shop.gatewayUrl, jason);
      return (await delays()) > before;
    });
    const after = await delays();
    expect((await getPage(shop.gatewayUrl)).stars).toBe(true);
    expect(await delays()).toBe(after);
  });
});
