// Two replicas of one mesh: the same bytes, and a proxy that moves is sent nothing.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NatsServer, silentLogger, startNatsServer } from "@weft/core/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { type ControlPlane, startControlPlane } from "../../infra/demo/control-plane.ts";
import { get, until } from "../../infra/demo/story.ts";
import { getPage } from "../../infra/demo/traffic.ts";
import { installTools } from "../../infra/tools.ts";
import { createSwitch, type Switch } from "../world/switch.ts";
import { applyFiles, FREE_DOORS, startShop } from "../world/world.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-"));
let nats: NatsServer;
let first: ControlPlane;
let second: ControlPlane;
let door: Switch;
let shop: Bookinfo;

beforeAll(async () => {
  nats = await startNatsServer({
    program: installTools().natsServer,
    folder: join(folder, "nats"),
    log: silentLogger,
  });
  const args = ["serve", "--nats", nats.url, "--data", join(folder, "data"), ...FREE_DOORS];
  [first, second] = await Promise.all([
    startControlPlane([...args, "--replica", "first"]),
    startControlPlane([...args, "--replica", "second"]),
  ]);
  door = await createSwitch(first.addresses.xds);
  shop = await startShop({ folder, control: first }, { server: door.address });
  await applyFiles(first, "gateway.yaml", "versions.yaml");
  await until("the page", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
}, 120_000);

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await door?.[Symbol.asyncDispose]();
  await Promise.all([first?.[Symbol.asyncDispose](), second?.[Symbol.asyncDispose]()]);
  await nats?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Whether every proxy is on this replica and has the newest revision. */
async function syncedOn(replica: string): Promise<boolean> {
  const { proxies, headRevision } = await first.api.listProxies({});
  const there = proxies.filter((proxy) => {
    return proxy.replica === replica && proxy.ackedRevision === headRevision;
  });
  return there.length === shop.workloads.length && proxies.length === there.length;
}

test("what one replica accepts the other serves", async () => {
  await applyFiles(second, "canary.yaml");
  await until("v3", async () => (await getPage(shop.gatewayUrl)).reviews === "v3");
  const [here, there] = await Promise.all([first.api.log({}), second.api.log({})]);
  expect(here.commits).toEqual(there.commits);
});

test("a proxy that moves to the other replica is sent nothing", async () => {
  await until("all on the first", () => syncedOn("first"));
  const before = await versions();
  await door.lead(second.addresses.xds);
  await until("all on the second", () => syncedOn("second"));
  const { proxies } = await first.api.listProxies({});
  expect(new Set(proxies.map(({ resourcesSent }) => resourcesSent))).toEqual(new Set([0n]));
  expect(await versions()).toEqual(before);
  expect((await getPage(shop.gatewayUrl)).status).toBe(200);
});

test("both replicas give byte-identical resources under the same versions", async () => {
  // A change that every proxy must take, then what each of them runs, from either replica.
  await applyFiles(first, "strict.yaml");
  await until("all in sync", () => syncedOn("second"));
  const fromSecond = await versions();
  await door.lead(first.addresses.xds);
  await until("all back on the first", () => syncedOn("first"));
  const { proxies } = await first.api.listProxies({});
  expect(new Set(proxies.map(({ resourcesSent }) => resourcesSent))).toEqual(new Set([0n]));
  expect(await versions()).toEqual(fromSecond);
});

/** The version of every dynamic resource of every Envoy, from its own config dump. */
async function versions(): Promise<Readonly<Record<string, readonly string[]>>> {
  const entries = await Promise.all(
    [...shop.agents].map(async ([name, { adminUrl }]): Promise<[string, readonly string[]]> => {
      const { body } = await get(`${adminUrl}/config_dump`);
      const found = [...body.matchAll(/"version_info": "([\w-]{11})"/g)];
      return [name, found.map(([, version = ""]) => version)];
    }),
  );
  return Object.fromEntries(entries);
}
