// Whether plugins keep their memory over a long time: requests in our host, then requests and swaps
// in a real Envoy, with what the process holds and how many VMs there are after each tenth.
//
//   node test/bench/plugins-memory.ts [requests in the host] [requests in Envoy] [swaps]

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { createHost } from "../../extensions/sdk/host/index.ts";
import { type PluginEnvoy, startPluginEnvoy } from "../world/plugin-envoy.ts";
import { loadPlugin } from "../world/plugin-load.ts";

const [hostRequests = 1_000_000, envoyRequests = 200_000, swaps = 200] = process.argv
  .slice(2)
  .map(Number);

const TENTHS = 10;
const CONNECTIONS = 16;

const { wasm } = await buildPlugin(resolve(import.meta.dirname, "../../extensions/header-stamp"));

const configuration = {
  request: { "x-stamp": "v1", "x-tenant": "blue" },
  response: { "x-demo": "hello" },
};

inHost();
await inEnvoy();

function inHost(): void {
  const host = createHost(wasm);
  const root = host.start(JSON.stringify(configuration)) ?? 0;
  console.log(`host, ${hostRequests} requests`);
  console.log("  requests  pages of the module  heap of the host, MB");
  for (let tenth = 0; tenth <= TENTHS; tenth++) {
    const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
    const done = (tenth * hostRequests) / TENTHS;
    console.log(
      `  ${String(done).padEnd(9)} ${String(host.pages).padEnd(20)} ${heapMb.toFixed(1)}`,
    );
    for (let i = 0; tenth < TENTHS && i < hostRequests / TENTHS; i++) {
      const stream = host.openStream(root);
      stream.requestHeaders([[":path", "/"]]);
      stream.responseHeaders([[":status", "200"]]);
      stream.close();
    }
  }
}

async function inEnvoy(): Promise<void> {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration,
    workers: 2,
    upstream: (_, response) => void (response as { end(): void }).end(),
  });
  console.log(`\nEnvoy with 2 workers, ${envoyRequests} requests, then ${swaps} swaps under load`);
  console.log("  requests  swaps  RSS, MB  active VMs  created VMs");
  for (let tenth = 0; tenth <= TENTHS; tenth++) {
    await tell(envoy, [(tenth * envoyRequests) / TENTHS, 0]);
    if (tenth === TENTHS) break;
    await loadPlugin(envoy, { requests: envoyRequests / TENTHS, connections: CONNECTIONS });
  }
  for (let done = 1; done <= swaps; done++) {
    const next = { ...configuration, request: { "x-stamp": `v${done}` } };
    await Promise.all([
      envoy.swap(wasm, next),
      loadPlugin(envoy, { requests: CONNECTIONS, connections: CONNECTIONS }),
    ]);
    if (done % Math.ceil(swaps / TENTHS) === 0) await tell(envoy, [envoyRequests, done]);
  }
}

async function tell(envoy: PluginEnvoy, [requests, swapped]: readonly number[]): Promise<void> {
  const status = readFileSync(`/proc/${envoy.pid}/status`, "utf8");
  const rssMb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  const [active, created] = await Promise.all(
    ["active", "created"].map((name) => envoy.stats(`wasm.envoy.wasm.runtime.v8.${name}`)),
  );
  const cells = [requests, swapped, rssMb.toFixed(1), active, created];
  const widths = [9, 6, 8, 11, 0];
  console.log(`  ${cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join(" ")}`);
}
