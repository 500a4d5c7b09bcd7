// kill -9 of the control plane and of nats-server while people apply: nothing that was acknowledged
// is lost, traffic never fails, and Envoys are sent nothing they already have.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type NatsServer, silentLogger, startNatsServer } from "@weft/core/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { type ControlPlane, startControlPlane } from "../../infra/demo/control-plane.ts";
import { get, until } from "../../infra/demo/story.ts";
import { getPage, startLoad } from "../../infra/demo/traffic.ts";
import { installTools } from "../../infra/tools.ts";
import { applyFiles, FREE_DOORS, startShop } from "../world/world.ts";

/** How often each part is killed. */
const KILLS = 3;

const folder = mkdtempSync(join(tmpdir(), "weft-"));
let nats: NatsServer;
let control: ControlPlane;
let shop: Bookinfo;
let serveArgs: readonly string[];

beforeAll(async () => {
  nats = await startNatsServer({
    program: installTools().natsServer,
    folder: join(folder, "nats"),
    restart: true,
    log: silentLogger,
  });
  const fixed = ["serve", "--nats", nats.url, "--data", join(folder, "data"), "--replica", "a"];
  control = await startControlPlane([...fixed, ...FREE_DOORS]);
  const { api, xds, xdsPlain, monitor } = control.addresses;
  // From now on the same doors, so that whoever was connected finds them again.
  const doors = ["--api", hostPort(api), "--xds", xds, "--xds-plain", xdsPlain];
  serveArgs = [...fixed, ...doors, "--monitor", hostPort(monitor)];
  shop = await startShop({ folder, control });
  await applyFiles(control, "gateway.yaml", "versions.yaml");
  await until("the page", async () => (await getPage(shop.gatewayUrl)).reviews === "v1");
}, 120_000);

afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await control?.[Symbol.asyncDispose]();
  await nats?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function hostPort(url: string): string {
  return new URL(url).host;
}

async function killControl(): Promise<void> {
  const gone = once(control.program.child, "exit");
  control.program.child.kill("SIGKILL");
  await gone;
  control = await startControlPlane(serveArgs);
}

/** Its keeper starts it again, on the same port. */
async function killNats(): Promise<void> {
  const { pid } = nats;
  if (pid === undefined) throw new Error("nats-server does not run");
  process.kill(pid, "SIGKILL");
  await until("another nats-server", () => nats.pid !== undefined && nats.pid !== pid);
}

/** Applies a small change again and again; keeps the revisions that were acknowledged. */
function startApplying(): AsyncDisposable & { readonly acknowledged: ReadonlyMap<string, bigint> } {
  const acknowledged = new Map<string, bigint>();
  const run = crypto.randomUUID();
  let stopped = false;
  const loop = (async () => {
    for (let count = 0; !stopped; count++) {
      const message = `change ${count} of ${run}`;
      try {
        const { revision } = await control.api.apply({
          documents: [{ path: "canary.yaml", text: canary(message) }],
          mutation: { commandId: crypto.randomUUID(), actor: "test", message },
        });
        acknowledged.set(message, revision);
      } catch {
        // Refused or unknown while a part was dead: no promise was made.
      }
      await sleep(20);
    }
  })();
  return {
    acknowledged,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loop;
    },
  };
}

/** A change that no other apply makes: one that changes nothing would have no commit. */
function canary(change: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - headers: { request: { set: { x-change: ${JSON.stringify(change)} } } }
      route: [{ destination: { host: reviews, subset: v1 } }]
`;
}

/** Every acknowledged change is in the log, at the revision that was promised. */
async function expectAllKept(acknowledged: ReadonlyMap<string, bigint>): Promise<void> {
  const { commits } = await control.api.log({ limit: 1000 });
  const kept = new Map(commits.map(({ message, revision }) => [message, revision]));
  const lost = [...acknowledged].filter(([message, revision]) => kept.get(message) !== revision);
  expect(lost).toEqual([]);
}

test("the control plane dies during applies", async () => {
  const load = startLoad(shop.gatewayUrl);
  const applying = startApplying();
  for (let kill = 0; kill < KILLS; kill++) {
    const before = applying.acknowledged.size;
    await until("some applies", () => applying.acknowledged.size > before + 5);
    await killControl();
  }
  const before = applying.acknowledged.size;
  await until("applies again", () => applying.acknowledged.size > before + 5);
  await applying[Symbol.asyncDispose]();
  await expectAllKept(applying.acknowledged);
  await load[Symbol.asyncDispose]();
  expect({ failed: load.failed, samples: load.samples }).toEqual({ failed: 0, samples: [] });
}, 120_000);

test("nats-server dies during applies", async () => {
  const load = startLoad(shop.gatewayUrl);
  const applying = startApplying();
  for (let kill = 0; kill < KILLS; kill++) {
    const before = applying.acknowledged.size;
    await until("some applies", () => applying.acknowledged.size > before + 5, 60_000);
    await killNats();
  }
  const before = applying.acknowledged.size;
  await until("applies again", () => applying.acknowledged.size > before + 5, 60_000);
  await applying[Symbol.asyncDispose]();
  await expectAllKept(applying.acknowledged);
  await load[Symbol.asyncDispose]();
  expect({ failed: load.failed, samples: load.samples }).toEqual({ failed: 0, samples: [] });
}, 180_000);

test("Envoys that come back to a restarted control plane are sent nothing", async () => {
  await allSynced();
  const before = await updates();
  await killControl();
  await allSynced();
  const { proxies } = await control.api.listProxies({});
  expect(proxies.map(({ id, resourcesSent }) => ({ id, resourcesSent }))).toEqual(
    proxies.map(({ id }) => ({ id, resourcesSent: 0n })),
  );
  expect(await updates()).toEqual(before);
}, 120_000);

async function allSynced(): Promise<void> {
  await until("all proxies in sync", async () => {
    const { proxies } = await control.api.listProxies({});
    const synced = proxies.filter(({ state }) => state === "SYNCED");
    return synced.length === shop.workloads.length && proxies.length === synced.length;
  });
}

/** How many resource updates each Envoy has taken, by its own count. */
async function updates(): Promise<Readonly<Record<string, string>>> {
  const names = "(cluster_manager.cds|listener_manager.lds|rds\\..*)\\.update_success";
  const entries = await Promise.all(
    [...shop.agents].map(async ([name, { adminUrl }]): Promise<[string, string]> => {
      const { body } = await get(`${adminUrl}/stats?filter=${encodeURIComponent(names)}`);
      return [name, body];
    }),
  );
  return Object.fromEntries(entries);
}
