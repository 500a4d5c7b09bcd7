import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { type PluginEnvoy, startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "../../extensions/local-rate-limit"));

const WORKERS = 4;

/** The statuses of so many requests, so many of them at a time, each on a connection of its own. */
async function statuses(envoy: PluginEnvoy, count: number, atOnce: number): Promise<number[]> {
  const seen: number[] = [];
  let left = count;
  const client = async () => {
    while (left-- > 0) seen.push((await envoy.fetch("/")).status);
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return seen;
}

const counts = (all: readonly number[]) =>
  [200, 429].map((wanted) => all.filter((each) => each === wanted).length);

test("of requests that all workers get at once exactly as many pass as may", async () => {
  const rules = [{ name: "all", requests: 1, per: "hour", burst: 50 }];
  await using envoy = await startPluginEnvoy({ wasm, configuration: { rules }, workers: WORKERS });
  expect(counts(await statuses(envoy, 400, 32))).toEqual([50, 350]);
  const verdict = async (name: string) =>
    await envoy.stats(`wasmcustom.rate_limit_requests_total.rule=.=all;.;verdict=.=${name};.;`);
  expect(await verdict("allowed")).toBe(50);
  expect(((await verdict("denied")) ?? 0) + ((await verdict("contended")) ?? 0)).toBe(350);
  const denied = await envoy.fetch("/");
  expect([denied.header("retry-after"), denied.header("x-ratelimit-remaining")]).toEqual([
    expect.stringMatching(/^3[56]\d\d$/),
    "0",
  ]);
});

test("while the bucket is filled no more pass than the clock has brought", async () => {
  const [perSecond, burst] = [100, 20];
  const rules = [{ name: "all", requests: perSecond, burst }];
  await using envoy = await startPluginEnvoy({ wasm, configuration: { rules }, workers: WORKERS });
  const began = process.hrtime.bigint();
  const [passed = 0] = counts(await statuses(envoy, 600, 32));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  expect(passed).toBeGreaterThanOrEqual(burst);
  expect(passed).toBeLessThanOrEqual(burst + seconds * perSecond);
});

test("clients have buckets of their own, and a new configuration of the same rule keeps them", async () => {
  const rule = { name: "key", by: ["header:x-key"], requests: 1, per: "hour" };
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { rules: [rule] },
    workers: 2,
    vmId: "limits",
  });
  const status = async (key: string) =>
    (await envoy.fetch("/", { headers: { "x-key": key } })).status;
  expect([await status("a"), await status("a"), await status("b")]).toEqual([200, 429, 200]);
  await envoy.swap(wasm, { rules: [rule], headers: false });
  expect([await status("a"), await status("c")]).toEqual([429, 200]);
});
