import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { assembleProbe } from "../../../test/conformance/proxy-wasm/probe.ts";
import { createHost } from "./index.ts";

setFlagsFromString("--expose-gc");
const collect: (options: { readonly type: "minor" }) => void = runInNewContext("gc");

/** Enough that what V8 itself keeps, as it compiles, does not count. */
const STREAMS = 5_000;

/** What a stream holds is several times that. */
const KEPT_BYTES_MAX = 500;

/** Bytes that only a collection of the whole heap frees. */
function oldBytes(): number {
  // What survives two young collections is old.
  collect({ type: "minor" });
  collect({ type: "minor" });
  const old = getHeapSpaceStatistics().filter(({ space_name }) => /^old_/.test(space_name));
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

test("what has ended goes with the next young collection", () => {
  const host = createHost(assembleProbe({ on: { proxy_on_request_headers: { steps: [] } } }));
  const root = host.start("") ?? 0;
  const serve = () => {
    const stream = host.openStream(root);
    stream.requestHeaders([[":path", "/"]], false);
    stream.requestBody("body", true);
    stream.responseHeaders([[":status", "200"]], false);
    stream.responseBody("body", true);
    stream.close();
    const connection = host.openConnection(root);
    connection.receive("bytes", true);
    connection.answer("bytes", true);
    connection.close();
  };
  for (let i = 0; i < STREAMS; i++) serve();
  const before = oldBytes();
  for (let i = 0; i < STREAMS; i++) serve();
  const kept = (oldBytes() - before) / STREAMS;
  expect(kept).toBeLessThan(KEPT_BYTES_MAX);
});
