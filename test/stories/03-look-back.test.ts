// Who, when, why, what; and back again: of a route, of a plugin, of many resources at once.

import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { until } from "../../infra/demo/story.ts";
import { getPage, startLoad } from "../../infra/demo/traffic.ts";
import { applyText, startShop, startWorld, type World } from "../world/world.ts";

const PLUGIN = resolve(import.meta.dirname, "../../extensions/header-stamp");

let world: World;
let shop: Bookinfo;

beforeAll(async () => {
  world = await startWorld();
  shop = await startShop(world);
  await weft("apply", "-f", "gateway.yaml", "-f", "versions.yaml", "-m", "open the shop");
  await until("the page", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
}, 120_000);

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Runs a command that must succeed and answers what it printed. */
async function weft(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await world.weft(...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

async function head(): Promise<number> {
  const { commits } = await world.control.api.log({ limit: 1 });
  return Number(commits[0]?.revision ?? 0n);
}

async function stamp(): Promise<unknown> {
  return (await getPage(shop.gatewayUrl)).headers["x-weft-demo"];
}

test("a route is taken back, and the log tells the whole of it", async () => {
  await weft("apply", "-f", "canary.yaml", "-m", "one in ten");
  const canary = await head();
  await until("v3", async () => (await getPage(shop.gatewayUrl)).reviews === "v3");
  await weft("rollback", `r${canary}`, "-m", "not today");
  const { commits } = await world.control.api.log({ limit: 2 });
  expect(
    commits.map(({ revision, actor, message, revertOf, changes }) => ({
      revision: Number(revision),
      actor: actor?.id,
      message,
      revertOf,
      changes: changes.map(({ ref }) => `${ref?.kind} ${ref?.namespace}/${ref?.name}`),
    })),
  ).toEqual([
    {
      revision: canary + 1,
      actor: "demo",
      message: "not today",
      revertOf: BigInt(canary),
      changes: ["VirtualService default/reviews"],
    },
    {
      revision: canary,
      actor: "demo",
      message: "one in ten",
      revertOf: undefined,
      changes: ["VirtualService default/reviews"],
    },
  ]);
  const diff = await weft("diff", `r${canary - 1}`, `r${canary + 1}`);
  expect(diff).not.toContain("reviews");
});

test("a plugin goes into running Envoys and out again, and no request fails", async () => {
  const load = startLoad(shop.gatewayUrl, 5);
  await weft("plugin", "push", PLUGIN);
  await weft("apply", "-f", "stamp.yaml", "-m", "stamp the pages");
  await until("the stamp", async () => (await stamp()) === "woven");
  const listenersWith = await listenersModified();

  // Another configuration of the same plugin changes ECDS and nothing else.
  const text = (value: string): string => `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: stamp }
spec:
  selector: { matchLabels: { app: productpage } }
  url: weft://header-stamp
  pluginConfig: { response: { x-weft-demo: ${value} } }
`;
  await world.control.api.apply({
    documents: [{ path: "stamp.yaml", text: text("again") }],
    mutation: { commandId: crypto.randomUUID(), actor: "test" },
  });
  await until("the new stamp", async () => (await stamp()) === "again");
  await weft("rollback", `r${await head()}`, "-m", "the first was better");
  await until("the old stamp", async () => (await stamp()) === "woven");
  expect(await listenersModified()).toBe(listenersWith);

  await weft("delete", "WasmPlugin", "stamp", "-m", "enough");
  await until("no stamp", async () => (await stamp()) === undefined);
  await load[Symbol.asyncDispose]();
  expect({ failed: load.failed, samples: load.samples }).toEqual({ failed: 0, samples: [] });
  expect(load.ok).toBeGreaterThan(0);
});

test("a commit of many resources is taken back whole", async () => {
  const before = await world.weft("get", "VirtualService", "-o", "json");
  await weft("apply", "-f", "canary.yaml", "-f", "fault.yaml", "-m", "two at once");
  const both = await head();
  const shown = await weft("show", `r${both}`);
  expect(shown).toContain("VirtualService default/reviews");
  expect(shown).toContain("VirtualService default/details");
  await weft("rollback", `r${both}`, "-m", "both back");
  const after = await world.weft("get", "VirtualService", "-o", "json");
  expect(specs(after.stdout)).toEqual(specs(before.stdout));
});

test("what changed since is not taken back by accident", async () => {
  await weft("apply", "-f", "canary.yaml");
  const canary = await head();
  const later = await applyText(
    world.control,
    `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http: [{ route: [{ destination: { host: reviews, subset: v2 } }] }]
`,
  );
  const { code, stderr } = await world.weft("rollback", `r${canary}`);
  expect(code).toBe(1);
  expect(stderr).toContain(`r${later}`);
  expect(await head()).toBe(Number(later));
});

/** The specs of a list as printed with `-o json`, by name. */
function specs(json: string): unknown {
  const { resources } = JSON.parse(json) as {
    resources: { manifest: { metadata: { name: string }; spec: unknown } }[];
  };
  return Object.fromEntries(
    resources.map(({ manifest }) => [manifest.metadata.name, manifest.spec]),
  );
}

async function listenersModified(): Promise<number> {
  const admin = shop.agents.get("productpage-v1")?.adminUrl;
  const response = await fetch(`${admin}/stats?filter=listener_manager.listener_modified`);
  return Number(/: (\d+)/.exec(await response.text())?.[1] ?? Number.NaN);
}
