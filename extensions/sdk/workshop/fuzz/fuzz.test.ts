import { join } from "node:path";
import { expect, test } from "vitest";
import { assembleProbe, say } from "../../../../test/conformance/proxy-wasm/probe.ts";
import { buildPlugin } from "../../build.ts";
import type { Exchange } from "../exchange.ts";
import { loadPlugin } from "../stage.ts";
import { collect, type FuzzReport, fuzz, type Knowledge, type Oracle } from "./fuzz.ts";
import { judge } from "./judge.ts";
import { readScenario } from "./scenario.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "../../probe/faults"));
const faults = loadPlugin(wasm);

/** What somebody who tests the plugin would write. */
const EXCHANGE: Exchange = {
  configuration: { fault: "none" },
  upstreams: { watch: { status: 200 } },
  request: {
    headers: [
      [":path", "/"],
      ["x-list", "a,b,c"],
    ],
  },
  response: { headers: [[":status", "200"]], body: ["a secret"] },
};

/** Fuzzes the plugin with one of its faults. */
function find(fault: string, runs = 400): FuzzReport {
  const configuration = { fault };
  const exchanges = [{ ...EXCHANGE, configuration }];
  const dictionary = collect(wasm, exchanges, [configuration]);
  const examples = [configuration];
  const knowledge: Knowledge = { plugin: faults, dictionary, schema: null, examples, exchanges };
  return fuzz(knowledge, { seed: 1, runs });
}

test.each<[string, Oracle, RegExp]>([
  ["trap", "trap", /^proxy_on_request_headers trapped: Index out of range/],
  ["loop", "trap", /out of fuel/],
  ["leak", "memory", /pages of 64 KiB more after/],
  ["call", "call", /^1 callouts? (is|are) open after a minute/],
  ["chunking", "chunking", /^the response's body differs when the body comes /],
])("the fault %s is found", (fault, oracle, message) => {
  const { finding } = find(fault);
  expect(finding?.oracle).toBe(oracle);
  expect(finding?.message).toMatch(message);
});

test("what is found is made small, and found again", () => {
  const { finding } = find("trap");
  expect(finding?.scenario.exchanges).toHaveLength(1);
  const [exchange] = finding?.scenario.exchanges ?? [];
  const judging = { checksChunking: false, checksMemory: false };
  const scenario = readScenario(JSON.stringify(exchange), "trap.json");
  expect(judge(faults, scenario, judging).finding?.oracle).toBe("trap");
});

test("a plugin without faults passes, and the same seed tries the same", () => {
  const [first, second] = [find("none", 100), find("none", 100)];
  expect(first.finding).toBe(null);
  expect(second).toEqual(first);
  expect(first.runs).toBe(100);
  expect(first.calls["proxy_on_request_headers"]).toBeGreaterThan(50);
  expect(first.refused).toBeGreaterThan(2);
});

test("a refusal must say why", () => {
  const refusing = (...steps: ReturnType<typeof say>[]) =>
    loadPlugin(assembleProbe({ on: { proxy_on_configure: { steps, returns: 0 } } }));
  const scenario = { exchanges: [EXCHANGE], order: [] };
  const judging = { checksChunking: true, checksMemory: true };
  expect(judge(refusing(), scenario, judging).finding?.oracle).toBe("silence");
  expect(judge(refusing(say("no")), scenario, judging).finding).toBe(null);
});

test("scenarios of several streams are read with their order", () => {
  const scenario = { exchanges: [EXCHANGE, { request: { headers: [] } }], order: [1, 0] };
  expect(readScenario(JSON.stringify(scenario), "a.json")).toEqual(scenario);
  expect(() => readScenario('{"exchanges": [{}]}', "a.json")).toThrow(
    "a.json: exchanges[0] has no request",
  );
});

test("words come from what the author has written, and from the module", () => {
  const { names, words, clusters } = collect(wasm, [EXCHANGE], []);
  expect(names).toContain("x-list");
  expect(words).toContain("a,b,c");
  expect(words).toContain("secret");
  expect(clusters).toContain("watch");
});
