import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { createHost } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { type PluginEnvoy, startPluginEnvoy } from "../world/plugin-envoy.ts";
import { loadPlugin } from "../world/plugin-load.ts";

// The long run is test/bench/plugins-memory.ts: what stands here holds on every machine, at any load.

const { wasm } = await buildPlugin(resolve("extensions/header-stamp"));

const configuration = {
  request: { "x-stamp": "v1", "x-tenant": "blue" },
  response: { "x-demo": "hello" },
};

const vmCount = async (envoy: PluginEnvoy) =>
  await envoy.stats("wasm.envoy.wasm.runtime.v8.active");

test("the module's memory does not grow over 50,000 requests in the host", () => {
  const host = createHost(wasm);
  const root = host.start(JSON.stringify(configuration)) ?? 0;
  const request = () => {
    const stream = host.openStream(root);
    stream.requestHeaders([[":path", "/"]]);
    stream.responseHeaders([[":status", "200"]]);
    stream.close();
  };
  for (let i = 0; i < 1_000; i++) request();
  const { pages } = host;
  for (let i = 0; i < 50_000; i++) request();
  expect(host.pages).toBe(pages);
});

test("requests make no VM, and swaps leave none behind", async () => {
  const SWAPS = 10;
  await using envoy = await startPluginEnvoy({ wasm, configuration, workers: 2 });
  const before = await vmCount(envoy);
  await loadPlugin(envoy, { requests: 5_000, connections: 8 });
  expect(await vmCount(envoy)).toBe(before);
  for (let i = 0; i < SWAPS; i++) {
    await envoy.swap(wasm, { request: { "x-stamp": String(i) } });
    await loadPlugin(envoy, { requests: 50, connections: 4 });
  }
  // A VM goes with its last request, which has ended a moment ago.
  await expect.poll(() => vmCount(envoy), { timeout: 30_000 }).toBe(before);
});
