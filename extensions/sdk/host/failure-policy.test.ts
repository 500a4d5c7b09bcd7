import {
  createProxy,
  type FailurePolicy,
  type Proxy as PluginProxy,
  type Stream,
  Trap,
} from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  bytes,
  call,
  say,
  trap,
} from "../../../test/conformance/proxy-wasm/probe.ts";

/** Traps on a response; a stream without one is served. */
const trapsOnResponse = assembleProbe({
  on: {
    proxy_on_configure: { steps: [say("configured")], returns: 1 },
    proxy_on_response_headers: { steps: [trap] },
  },
});

const RELOAD_INTERVAL_MS = 1_000;

const healthy = (stream: Stream) => {
  stream.requestHeaders([[":path", "/"]]);
};

const trapping = (stream: Stream) => {
  stream.requestHeaders([[":path", "/"]]);
  stream.responseHeaders([[":status", "200"]]);
};

const start = (failurePolicy?: FailurePolicy) =>
  createProxy(trapsOnResponse, failurePolicy === undefined ? {} : { failurePolicy });

/** Serves a stream, one that traps and two more after it. */
const outcomes = (proxy: PluginProxy) =>
  [healthy, trapping, healthy, healthy].map((use) => proxy.serve(0, use));

test("a proxy makes a base, a canary, a main VM and one per worker, and configures all but the base", () => {
  const proxy = start();
  expect({
    created: proxy.created,
    workers: proxy.workers.length,
    logs: proxy.world.logs.map(({ message }) => message),
  }).toEqual({ created: 5, workers: 2, logs: Array(4).fill("configured") });
});

test.each([
  [undefined, ["served", "failed", "failed", "failed"]],
  ["FAIL_CLOSED", ["served", "failed", "failed", "failed"]],
  ["FAIL_OPEN", ["served", "failed", "passed", "passed"]],
  ["FAIL_RELOAD", ["served", "failed", "failed", "failed"]],
] as const)(
  "with %s a trap fails its stream, and the next ones follow the policy",
  (policy, told) => {
    expect(outcomes(start(policy))).toEqual(told);
  },
);

test.each(["FAIL_CLOSED", "FAIL_OPEN"] as const)("%s never makes the VM anew", (policy) => {
  const proxy = start(policy);
  const before = outcomes(proxy).at(-1);
  proxy.world.clock.advance(1_000 * RELOAD_INTERVAL_MS);
  expect([proxy.serve(0, healthy), proxy.created, proxy.stats]).toEqual([
    before,
    5,
    { reloads: 0, failures: 0, backoffs: 0 },
  ]);
});

test("a trap on one worker leaves the others alone", () => {
  const proxy = start("FAIL_CLOSED");
  proxy.serve(0, trapping);
  expect([
    proxy.serve(1, healthy),
    proxy.workers.map(({ hasFailed }) => hasFailed),
    proxy.main.hasFailed,
  ]).toEqual(["served", [true, false], false]);
});

test("FAIL_RELOAD costs a healthy VM that traps one stream", () => {
  const proxy = start("FAIL_RELOAD");
  proxy.world.clock.advance(RELOAD_INTERVAL_MS);
  expect([outcomes(proxy), proxy.stats, proxy.created]).toEqual([
    ["served", "failed", "served", "served"],
    { reloads: 1, failures: 0, backoffs: 0 },
    6,
  ]);
});

test("FAIL_RELOAD waits until the interval since the last load has passed", () => {
  const proxy = start("FAIL_RELOAD");
  proxy.serve(0, trapping);
  const told = [0, RELOAD_INTERVAL_MS - 1, 1, 0].map((ms) => {
    proxy.world.clock.advance(ms);
    return proxy.serve(0, trapping);
  });
  // The third finds the VM made anew, and traps in it: its interval begins again.
  expect([told, proxy.stats]).toEqual([
    ["failed", "failed", "failed", "failed"],
    { reloads: 1, failures: 0, backoffs: 3 },
  ]);
});

test("the interval can be told", () => {
  const proxy = createProxy(trapsOnResponse, {
    failurePolicy: "FAIL_RELOAD",
    reloadIntervalMs: 10,
    workers: 1,
  });
  proxy.serve(0, trapping);
  proxy.world.clock.advance(10);
  expect([proxy.serve(0, healthy), proxy.created]).toEqual(["served", 5]);
});

test("a reload that comes to nothing fails the stream and waits for the next interval", () => {
  let isShut = false;
  const gate = () => {
    if (isShut) throw new Error("the gate is shut");
    return undefined;
  };
  const passesGate = assembleProbe({
    on: {
      proxy_on_configure: {
        steps: [call("proxy_call_foreign_function", "gate", "", bytes())],
        returns: 1,
      },
      proxy_on_response_headers: { steps: [trap] },
    },
  });
  const proxy = createProxy(passesGate, { failurePolicy: "FAIL_RELOAD", foreign: { gate } });
  proxy.world.clock.advance(RELOAD_INTERVAL_MS);
  const told = [proxy.serve(0, trapping)];
  isShut = true;
  told.push(proxy.serve(0, healthy), proxy.serve(0, healthy));
  isShut = false;
  proxy.world.clock.advance(RELOAD_INTERVAL_MS);
  told.push(proxy.serve(0, healthy));
  expect([told, proxy.stats]).toEqual([
    ["failed", "failed", "failed", "served"],
    { reloads: 1, failures: 1, backoffs: 1 },
  ]);
});

test("what a plugin asked for before it trapped is not done", () => {
  const proxy = createProxy(
    assembleProbe({
      on: {
        proxy_on_request_headers: {
          steps: [call("proxy_send_local_response", 200, "mine", "", "", -1), trap],
        },
      },
    }),
  );
  const outcome = proxy.serve(0, (stream) => {
    expect(() => stream.requestHeaders([[":path", "/"]])).toThrow(Trap);
    expect([stream.localResponse?.status, stream.localResponse?.details]).toEqual([
      503,
      "wasm_fail_stream",
    ]);
  });
  expect([outcome, proxy.serve(0, healthy)]).toEqual(["served", "failed"]);
});

test("a plugin that refuses its configuration starts no proxy", () => {
  const refuses = assembleProbe({ on: { proxy_on_configure: { steps: [], returns: 0 } } });
  expect(() => createProxy(refuses)).toThrow("Failed to configure base Wasm plugin");
});

test("a plugin that traps while it is configured starts no proxy, whatever the policy", () => {
  const traps = assembleProbe({ on: { proxy_on_configure: { steps: [trap] } } });
  expect(() => createProxy(traps, { failurePolicy: "FAIL_OPEN" })).toThrow(Trap);
});
