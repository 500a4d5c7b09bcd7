import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildPlugin } from "../build.ts";
import { createBroken, filterWith, IMPORTS, told } from "../probe/broken.ts";

const { errorOf, close } = await createBroken();

afterAll(close);

test.each([
  [
    "@filter()\nexport class A extends HttpFilter {}",
    "2:1",
    "@filter needs a root id",
    `write @filter("my-filter")`,
  ],
  [
    `@filter("a")\nexport class A {}`,
    "3:14",
    "A is no filter",
    "derive it from HttpFilter, TcpFilter or Background",
  ],
  [
    `@filter("a")\nclass A extends HttpFilter {}\n@filter("a")\nclass B extends HttpFilter {}`,
    "5:7",
    `the root id "a" is taken`,
    "give each its own; only a filter and a Background share one",
  ],
  [
    `@filter("a")\nclass A extends HttpFilter {\n  onTick(): void {}\n}`,
    "3:7",
    "A is a HttpFilter, which has no onTick",
    "only a Background has it",
  ],
  [
    `@filter("a")\nclass A extends HttpFilter {\n  onRequestHeader(h: Headers, e: bool): Action { return Action.Continue; }\n}`,
    "4:3",
    "onRequestHeader is no callback of A",
    "perhaps onRequestHeaders is meant",
  ],
  [
    `@filter("a")\nclass A extends HttpFilter {\n  onRequestHeaders(h: Headers): Action { return Action.Continue; }\n}`,
    "4:3",
    "TS2394 This overload signature is not compatible with its implementation signature.",
    "a callback has the parameters and the result of the one it overrides",
  ],
  [
    `@filter("a")\nclass A extends HttpFilter {\n  onRequestHeaders(h: Headers, e: bool): Action { }\n}`,
    "4:42",
    "TS2355 A function whose declared type is not 'void' must return a value.",
    "return a value on every way through it, as Action.Continue",
  ],
  [
    `class C {}\n@filter("a")\nclass A extends HttpFilter<C> {}`,
    "4:17",
    "C is no configuration",
    "put @config on the class C",
  ],
  [
    `@config\nclass C {}\n@filter("a")\nclass A extends HttpFilter<C> {}\n@filter("a")\nclass B extends Background {}`,
    "7:7",
    "A and B share a root id but no configuration",
    "derive B from Background<C>",
  ],
  [
    `@config\nclass C {\n  x: symbol = 1;\n}\n@filter("a")\nclass A extends HttpFilter<C> {}`,
    "4:3",
    "x is no setting, because symbol is not known here",
    "settings are bool, integers, f32, f64, string, Bytes, @config classes, Array and Map<string, T>",
  ],
  [
    `@config\nclass C {\n  @min("x") x: i32 = 1;\n}\n@filter("a")\nclass A extends HttpFilter<C> {}`,
    "4:3",
    "@min needs a number",
    "write @min(1)",
  ],
])("of a plugin, %s", async (source, place, message, mend) => {
  const { diagnostics } = await errorOf(`${IMPORTS}\n${source}\n`);
  expect(diagnostics.map(told)).toEqual([[`assembly/index.ts:${place}`, message, mend]]);
});

test("a plugin without a filter is told so", async () => {
  const { diagnostics } = await errorOf(`${IMPORTS}\nexport class A extends HttpFilter {}\n`);
  expect(diagnostics.map(({ mend }) => mend)).toEqual([
    `no class is a plugin: put @filter("my-filter") on one that derives from HttpFilter`,
  ]);
});

test("a text that is none is told, wherever it is passed", async () => {
  const { diagnostics } = await errorOf(filterWith("headers.set('x', 5);"));
  expect(diagnostics.map(({ message, mend }) => [message, mend])).toEqual([
    [
      "expected Bytes or a string",
      "a text is Bytes or a string: a number becomes one within a template literal",
    ],
  ]);
});

test("what of a foreigner's name is the plugin's own is no foreigner", async () => {
  const source = filterWith("const process = new Process(); process.run(); nothing();").concat(
    "class Process { run(): void {} }",
  );
  const { diagnostics } = await errorOf(source);
  expect(diagnostics.map(({ message }) => message)).toEqual(["Cannot find name 'nothing'."]);
});

test("an import that no proxy has is refused", async () => {
  const foreign = `@external("env", "gettimeofday")\ndeclare function now(): i32;`;
  const { message } = await errorOf(filterWith("logInfo(now().toString());", foreign));
  expect(message.split("\n").slice(1)).toEqual([
    "the module imports env.gettimeofday, which no proxy has",
    "  mend: use what @weft/sdk/assembly has for it: a proxy offers no more than its ABI",
  ]);
});

test("a folder without a plugin, and settings that are no JSON, are told", async () => {
  const empty = await mkdtemp(join(tmpdir(), "weft-errors-"));
  try {
    await expect(buildPlugin(empty)).rejects.toThrow(
      "mend: a plugin begins in assembly/index.ts, or where the entries of its asconfig.json say",
    );
    await writeFile(join(empty, "asconfig.json"), "{");
    await expect(buildPlugin(empty)).rejects.toThrow(/Asconfig is not valid json/);
  } finally {
    await rm(empty, { recursive: true });
  }
});

test("a mistake is shown with its line, a mark and its mend", async () => {
  const { message } = await errorOf(filterWith("\tconst x = nothing; any_();"));
  expect(message.split("\n").slice(1)).toEqual([
    "assembly/index.ts:5:12: TS2304 Cannot find name 'nothing'.",
    "  5 | \tconst x = nothing; any_();",
    "    | \t          ^^^^^^^",
    "assembly/index.ts:5:21: TS2304 Cannot find name 'any_'.",
    "  5 | \tconst x = nothing; any_();",
    "    | \t                   ^^^^",
  ]);
});
