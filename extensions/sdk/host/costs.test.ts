import { createHost, LogLevel } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  say,
  trap,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const PLUGIN_CONFIGURATION = 7;
const configuration = call("proxy_get_buffer_bytes", PLUGIN_CONFIGURATION, 0, 99, bytes());

/** What a callback has cost that is entered once and only logs a line of so many bytes. */
const says = (bytesCopied: number) => {
  const none = { fuel: 0, allocations: 0, pagesGrown: 0 };
  return { calls: 1, hostcalls: 1, bytesCopied, ...none };
};

const wasm = assembleProbe({
  on: {
    _initialize: { steps: [say("hi")] },
    proxy_on_configure: { steps: [configuration], returns: 1 },
    proxy_on_request_headers: { steps: [say("ab"), say("c")] },
    proxy_on_request_body: { steps: [call("proxy_set_buffer_bytes", 0, 0, 99, "new")] },
    proxy_on_log: { steps: [say("gone"), trap] },
  },
});

test("each callback is charged what it calls, copies and has allocated", () => {
  const host = createHost(wasm);
  const root = host.start("twelve bytes") ?? 0;
  const [first, second] = [host.openStream(root), host.openStream(root)];
  first.requestHeaders([]);
  second.requestHeaders([]);
  first.requestBody("old");
  const line = "get_buffer_bytes 0 [twelve bytes]".length;
  expect(host.costs).toEqual(
    new Map([
      ["_initialize", says(2)],
      ["proxy_on_configure", { ...says(12 + line), hostcalls: 2, allocations: 1 }],
      ["proxy_on_request_headers", { ...says(6), calls: 2, hostcalls: 4 }],
      ["proxy_on_request_body", { ...says(3 + "set_buffer_bytes 0".length), hostcalls: 2 }],
    ]),
  );
});

test("costs are copies, and begin anew after a reset", () => {
  const host = createHost(wasm);
  const root = host.start("") ?? 0;
  const before = host.costs;
  host.resetCosts();
  host.openStream(root).requestHeaders([]);
  expect(host.costs).toEqual(new Map([["proxy_on_request_headers", { ...says(3), hostcalls: 2 }]]));
  expect([...before.keys()]).toEqual(["_initialize", "proxy_on_configure"]);
});

test("a callback that traps is charged until then, and what a host drops was a call", () => {
  const host = createHost(wasm, { logLevel: LogLevel.critical });
  const stream = host.openStream(host.start("") ?? 0);
  host.resetCosts();
  expect(() => stream.close()).toThrow("proxy_on_log trapped");
  expect(host.costs).toEqual(new Map([["proxy_on_log", says(4)]]));
});

test("where a callback runs within another, each pays for itself", () => {
  const outer = assembleProbe({
    on: {
      proxy_on_request_headers: {
        steps: [call("proxy_call_foreign_function", "enter", "", bytes())],
      },
      proxy_on_log: { steps: [say("ab")] },
    },
  });
  const host = createHost(outer, {
    foreign: {
      enter: () => {
        host.openStream(root).close();
        return Buffer.from("answer");
      },
    },
  });
  const root = host.start("") ?? 0;
  const stream = host.openStream(root);
  stream.requestHeaders([]);
  // The probe has begun its line by then, and the callback within ends it.
  const [begun, rest] = ["call_foreign_function ".length, "0 [answer]".length];
  const copied = "enter".length + "answer".length + rest;
  expect(host.costs).toEqual(
    new Map([
      ["proxy_on_request_headers", { ...says(copied), hostcalls: 2, allocations: 1 }],
      ["proxy_on_log", says(begun + 2)],
    ]),
  );
});
