import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { createHost, type Header, Module } from "./host/index.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "probe"));

const DEBUG = 1;
const CRITICAL = 5;

/** Puts one question to the probe and answers the headers but for the question. */
function ask(question: string, subjects: readonly string[] = []): Header[] {
  const host = createHost(wasm);
  const stream = host.openStream(host.start("") ?? 0);
  const headers = subjects.map((subject): Header => ["subject", subject]);
  const answered = stream.requestHeaders([["ask", question], ...headers]);
  return answered.filter(([name]) => name !== "ask");
}

test("all values of a header are read, added and removed in order", () => {
  expect(ask("all", ["one", "", "thrée"])).toEqual([
    ["answer", "one/3"],
    ["answer", "/0"],
    ["answer", "thrée/6"],
  ]);
  expect(ask("all")).toEqual([]);
});

test.each([
  [[], "none"],
  [[""], ""],
  [["one"], "one"],
  [["one", "", "thrée"], "one,,thrée"],
])("the values %j of a header are %j as one", (subjects, joined) => {
  expect(ask("joined", subjects)).toEqual([["answer", joined]]);
});

test("a header is there even when it is empty", () => {
  expect(ask("has", [""])).toContainEqual(["answer", "yes"]);
  expect(ask("has")).toContainEqual(["answer", "no"]);
});

test("bytes are compared, searched and cut without leaving their bounds", () => {
  expect(ask("text", ["abcab"]).slice(1)).toEqual([
    ["starts", "yes"],
    ["index", "4"],
    ["slice", "bc"],
    ["beyond", "abcab"],
    ["outside", "-1"],
    ["copy", "yes"],
    ["case", "yes"],
    ["ends", "yes"],
    ["trim", "abcab"],
    ["number", "-120"],
    ["no-number", "7"],
  ]);
});

test.each([
  ["user=ann", "ann"],
  ["a=b; user=ann; c=d", "ann"],
  [`a=b;user="ann"`, "ann"],
  ["superuser=eve; user=ann", "ann"],
  ["user2=eve; x=user=eve", "none"],
  ["user=", ""],
  ["user", "none"],
  ["; ;;user=ann", "ann"],
])("of the cookies %j the one asked for is read", (cookie, answer) => {
  const host = createHost(wasm);
  const stream = host.openStream(host.start("") ?? 0);
  const headers: Header[] = [
    ["ask", "cookie"],
    ["cookie", cookie],
  ];
  expect(stream.requestHeaders(headers)).toContainEqual(["answer", answer]);
});

test("a filter keeps its fields for its stream and for no other", () => {
  const host = createHost(wasm);
  const root = host.start("") ?? 0;
  const [first, second] = [host.openStream(root), host.openStream(root)];
  const count = (stream: typeof first) => stream.requestHeaders([["ask", "count"]])[1];
  expect([count(first), count(first), count(second)]).toEqual([
    ["answer", "1"],
    ["answer", "2"],
    ["answer", "1"],
  ]);
});

test("streams are told apart, in whatever order they begin and end", () => {
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom("open", "count", "close"), at: fc.nat() }),
    {
      maxLength: 400,
      size: "max",
    },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const host = createHost(wasm);
      const root = host.start("") ?? 0;
      const open: { stream: ReturnType<typeof host.openStream>; count: number }[] = [];
      for (const { kind, at } of all) {
        const chosen = open[at % Math.max(open.length, 1)];
        if (kind === "open") open.push({ stream: host.openStream(root), count: 0 });
        else if (chosen === undefined) continue;
        else if (kind === "close") {
          chosen.stream.close();
          open.splice(open.indexOf(chosen), 1);
        } else {
          const answered = chosen.stream.requestHeaders([["ask", "count"]]);
          expect(answered[1]).toEqual(["answer", `${++chosen.count}`]);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("what the host would drop is not said", () => {
  const quiet = createHost(wasm, { logLevel: CRITICAL });
  quiet.start("secret");
  expect(quiet.logs).toEqual([]);
  const loud = createHost(wasm, { logLevel: DEBUG });
  loud.start("hé");
  expect(loud.logs).toEqual([
    { level: 1, message: "debugged" },
    { level: 2, message: "configured with hé" },
  ]);
  const question: Header[] = [["ask", "level"]];
  expect(loud.openStream(1).requestHeaders(question)).toContainEqual(["answer", "yes"]);
});

test("counters count by what they are told", () => {
  const host = createHost(wasm);
  const stream = host.openStream(host.start("") ?? 0);
  stream.requestHeaders([["ask", "has"]]);
  stream.requestHeaders([["ask", "has"]]);
  stream.requestHeaders([]);
  expect(host.counters).toEqual(new Map([["answers_total", 6n]]));
});

test("a trap says where it happened before it stops the VM", () => {
  const host = createHost(wasm);
  const stream = host.openStream(host.start("") ?? 0);
  expect(() => stream.requestHeaders([["ask", "trap"]])).toThrow(
    "proxy_on_request_headers trapped",
  );
  expect(host.hasFailed).toBe(true);
  expect(host.logs.at(-1)).toEqual({
    level: CRITICAL,
    message: expect.stringMatching(/^Index out of range at ~lib\/array\.ts:\d+:\d+$/),
  });
  expect(() => stream.close()).toThrow("is called in a VM that has trapped");
});

test("the host's buffers are freed, with many streams open at once", () => {
  const host = createHost(wasm);
  const root = host.start("") ?? 0;
  const value = "x".repeat(1_000);
  const open = Array.from({ length: 500 }, () => host.openStream(root));
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      const stream = host.openStream(root);
      stream.requestHeaders([
        ["ask", "all"],
        ["subject", value],
        ["subject", value],
      ]);
      stream.close();
    }
  };
  run(2_000);
  const { pages } = host;
  run(20_000);
  expect(host.pages).toBe(pages);
  for (const stream of open) stream.close();
});

test("a callback that no filter overrides is not there", () => {
  const exported = Module.exports(new Module(wasm)).map(({ name }) => name);
  expect(exported).toContain("proxy_on_request_headers");
  expect(exported).not.toContain("proxy_on_response_headers");
});
