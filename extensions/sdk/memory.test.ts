import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { createTraffic, KINDS } from "./probe/traffic.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "probe", "memory"));

/** Requests until every list has its size, and then as many again. */
const REQUESTS = 10_000;

// A million of each: node test/bench/sdk-memory.ts
test.each(KINDS)("memory stays flat over many requests of a %s filter", (kind) => {
  const { host, serve } = createTraffic(wasm, kind);
  serve(REQUESTS);
  const { pages } = host;
  serve(3 * REQUESTS);
  expect(host.pages).toBe(pages);
  expect([host.hasFailed, host.openContexts, host.openCalls]).toEqual([false, 1, 0]);
});
