import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import {
  createHost,
  createProxy,
  type Header,
  type Host,
  type HostOptions,
  Trap,
} from "@weft/sdk/host";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { assembleProbe, say } from "../../../test/conformance/proxy-wasm/probe.ts";

const sdk = join(import.meta.dirname, "..");
const stamp = (await buildPlugin(join(sdk, "../header-stamp"))).wasm;
const probe = (await buildPlugin(join(sdk, "probe"))).wasm;
const probeMap = readFileSync(join(sdk, "probe/build/probe.wasm.map"), "utf8");

const KINDS: readonly HostOptions[] = [
  {},
  { meter: true },
  { meter: true, coverage: true },
  { fuelMax: 10_000_000, coverage: true },
];

/** All that can be seen of a plugin that did this, but for its fuel, and its fuel. */
function observe(wasm: Uint8Array, options: HostOptions, use: (host: Host) => unknown) {
  const host = createHost(wasm, options);
  let seen: unknown;
  try {
    seen = use(host);
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    seen = [error.message, error.backtrace];
  }
  const { logs, counters, gauges, histograms, callCounts, pages, hasFailed } = host;
  const { memory, globals } = host.snapshot();
  const costs = [...host.costs].map(([name, cost]) => [name, { ...cost, fuel: 0 }]);
  const state = { memory: Buffer.from(memory).toString("base64"), globals };
  return {
    observed: {
      seen,
      logs,
      counters,
      gauges,
      histograms,
      callCounts,
      pages,
      hasFailed,
      costs,
      state,
    },
    fuel: [...host.costs].map(([name, { fuel }]) => [name, fuel] as const),
    executed: executedBy(host),
  };
}

/** Instructions executed by the counts of blocks; null if those are not counted. */
function executedBy({ coverage }: Host): number | null {
  if (coverage === null) return null;
  return coverage.functions.reduce((sum, { blocks }, at) => {
    const runs = coverage.runs[at] ?? [];
    return blocks.reduce((all, { instructions }, i) => all + instructions * (runs[i] ?? 0), sum);
  }, 0);
}

/** Holds that counting changes nothing, and counts the same by whatever way, each time. */
function holdsOf(wasm: Uint8Array, use: (host: Host) => unknown): void {
  const [plain, ...counting] = KINDS.map((options) => observe(wasm, options, use));
  for (const { observed, fuel, executed } of counting) {
    expect(observed).toEqual(plain?.observed);
    expect(fuel).toEqual(counting[0]?.fuel);
    const total = fuel.reduce((sum, [, each]) => sum + each, 0);
    // An instruction that traps has let the fuel of the rest be paid, but not the rest be counted.
    if (executed !== null && !plain?.observed.hasFailed) expect(executed).toBe(total);
    if (executed !== null) expect(executed).toBeLessThanOrEqual(total);
    expect(total).toBeGreaterThan(0);
  }
}

const word = fc.stringMatching(/^[a-zA-Z0-9-]{1,12}$/);
const stamps = fc.dictionary(word, fc.string({ maxLength: 12 }), { maxKeys: 6 });
const headers: fc.Arbitrary<Header[]> = fc.array(fc.tuple(word, fc.string({ maxLength: 20 })), {
  maxLength: 6,
});

test("header-stamp does the same when counted, whatever its configuration and its requests", () => {
  const configuration = fc.oneof(
    fc.record({ request: stamps, response: stamps }).map((each) => JSON.stringify(each)),
    fc.json({ maxDepth: 2 }),
    fc.string({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(configuration, fc.array(headers, { maxLength: 3 }), (text, requests) => {
      holdsOf(stamp, (host) => {
        const root = host.start(text);
        if (root === null) return null;
        return requests.map((each) => {
          const stream = host.openStream(root);
          const passed = [stream.requestHeaders(each), stream.responseHeaders(each)];
          stream.close();
          return passed;
        });
      });
    }),
    { numRuns: 60 },
  );
});

test("the SDK's probe does the same when counted, traps included", () => {
  const questions = ["all", "text", "count", "has", "level", "cookie", "trap", "none"];
  const request = fc.record({
    ask: fc.constantFrom(...questions),
    subjects: fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
    cookie: fc.string({ maxLength: 30 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 4 }), (requests) => {
      holdsOf(probe, (host) => {
        const root = host.start("anything") ?? 0;
        const stream = host.openStream(root);
        return requests.map(({ ask, subjects, cookie }) => {
          const all = subjects.map((each): Header => ["subject", each]);
          return stream.requestHeaders([["ask", ask], ["cookie", cookie], ...all]);
        });
      });
    }),
    { numRuns: 60 },
  );
});

test("a trap in a counted plugin is told with the same names and places as in a plain one", () => {
  const backtraceOf = (options: HostOptions) => {
    const host = createHost(probe, { ...options, sourceMap: probeMap });
    const stream = host.openStream(host.start("") ?? 0);
    try {
      stream.requestHeaders([["ask", "trap"]]);
    } catch (error) {
      if (error instanceof Trap) return error.backtrace;
    }
    return null;
  };
  const [plain, ...counting] = KINDS.map(backtraceOf);
  expect(plain?.map(({ source }) => source?.replace(/:\d+:\d+$/, ""))).toContain(
    "assembly/probe.ts",
  );
  for (const backtrace of counting) expect(backtrace).toEqual(plain);
});

/** A plugin that never comes back from a request, and reads a long configuration. */
const endless = assemble({
  imports: [],
  functions: [
    { type: "i32 -> i32", code: [0x41, 0] },
    { type: "i32 i32 i32 -> i32", code: [0x03, 0x40, 0x0c, 0, 0x0b, 0x00] },
    { type: "i32 i32 -> i32", code: [...Array<number>(100).fill(0x01), 0x41, 1] },
    { type: "->", code: [] },
  ],
  exports: [
    ["malloc", 0],
    ["proxy_on_request_headers", 1],
    ["proxy_on_configure", 2],
    ["proxy_abi_version_0_2_1", 3],
  ],
  ...{ memoryPages: 1, exportsMemory: true, globals: [], data: new Uint8Array(), dataAt: 0 },
});

test("an endless loop is out of fuel, and was charged for what it did", () => {
  const host = createHost(endless, { fuelMax: 5_000 });
  const root = host.start("") ?? 0;
  expect(host.costs.get("proxy_on_configure")?.fuel).toBe(101);
  const stream = host.openStream(root);
  expect(() => stream.requestHeaders([])).toThrow(
    "proxy_on_request_headers trapped: out of fuel after 5000 instructions",
  );
  // Two on each turn, loop and br: the first that is beyond the limit ends it.
  expect([host.hasFailed, host.costs.get("proxy_on_request_headers")?.fuel]).toEqual([true, 5_002]);
});

test("the limit is of each callback, to the instruction", () => {
  expect(createHost(endless, { fuelMax: 101 }).start("")).not.toBeNull();
  expect(() => createHost(endless, { fuelMax: 100 }).start("")).toThrow(
    "proxy_on_configure trapped: out of fuel after 100 instructions",
  );
});

test("a proxy fails the stream whose plugin is out of fuel", () => {
  const proxy = createProxy(endless, { fuelMax: 5_000, workers: 1, failurePolicy: "FAIL_OPEN" });
  const serve = () => proxy.serve(0, (stream) => stream.requestHeaders([]));
  expect([serve(), serve()]).toEqual(["failed", "passed"]);
});

test("callbacks within one another have a limit each", () => {
  const nested = assembleProbe({
    on: {
      proxy_on_request_headers: {
        steps: [{ call: "proxy_call_foreign_function", from: "env", args: ["e", "", 0, 0] }],
      },
      proxy_on_log: { steps: [say("logged")] },
    },
  });
  const fuelOf = (fuelMax?: number) => {
    const enter = () => {
      host.openStream(root).close();
      return new Uint8Array();
    };
    const options = fuelMax === undefined ? { meter: true } : { fuelMax };
    const host = createHost(nested, { ...options, foreign: { e: enter } });
    const root = host.start("") ?? 0;
    host.openStream(root).requestHeaders([]);
    return [...host.costs].map(([name, { fuel }]) => [name, fuel] as const);
  };
  const fuel = fuelOf();
  expect(fuel.map(([name]) => name)).toEqual(["proxy_on_request_headers", "proxy_on_log"]);
  const most = Math.max(...fuel.map(([, each]) => each));
  expect(fuelOf(most)).toEqual(fuel);
  expect(() => fuelOf(most - 1)).toThrow("out of fuel");
});

/** A plugin that logs a letter, one further on each request, which only a private global holds. */
const counts = assemble({
  imports: [{ module: "env", name: "proxy_log", type: "i32 i32 i32 -> i32" }],
  functions: [
    { type: "i32 -> i32", code: [0x41, 0] },
    {
      type: "i32 i32 i32 -> i32",
      code: [
        ...[0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x41, 16, 0x23, 0, 0x3a, 0, 0],
        ...[0x41, 2, 0x41, 16, 0x41, 1, 0x10, 0, 0x1a, 0x41, 0],
      ],
    },
    { type: "->", code: [] },
  ],
  exports: [
    ["malloc", 1],
    ["proxy_on_request_headers", 2],
    ["proxy_abi_version_0_2_1", 3],
  ],
  ...{ memoryPages: 1, exportsMemory: true, globals: [0x40], data: Buffer.from(" "), dataAt: 16 },
});

test.each(KINDS)("with %j a snapshot has the globals that no module exports", (options) => {
  const host = createHost(counts, options);
  const root = host.start("") ?? 0;
  const request = () => host.openStream(root).requestHeaders([]);
  request();
  const after = host.snapshot();
  request();
  host.restore(after);
  request();
  expect(host.logs.map(({ message }) => message)).toEqual(["A", "B", "B"]);
  // What it costs to get there is not undone.
  expect(host.costs.get("proxy_on_request_headers")?.calls).toBe(3);
  expect([...after.globals.values()]).toEqual([0x41]);
});
