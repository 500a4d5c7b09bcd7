// Whether plugins keep what they should give back: the memory of a plain filter, and of filters of
// bodies, callouts and configurations, before and after a million requests in the SDK's host.
//
//   node test/bench/sdk-memory.ts [requests]

import { resolve } from "node:path";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { createTraffic, KINDS } from "../../extensions/sdk/probe/traffic.ts";

const requests = Number(process.argv[2] ?? 1_000_000);

/** Requests after which every list and map has its size. */
const WARM_UP = 10_000;

const { wasm } = await buildPlugin(resolve("extensions/sdk/probe/memory"));

for (const kind of KINDS) {
  const { host, serve } = createTraffic(wasm, kind);
  serve(WARM_UP);
  const { pages } = host;
  const before = performance.now();
  serve(requests);
  const us = ((performance.now() - before) * 1_000) / requests;
  const memory = `${pages} pages before ${requests} requests and ${host.pages} after`;
  console.log(`${kind}: ${memory}, ${us.toFixed(1)} µs each`);
}
