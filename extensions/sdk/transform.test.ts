import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Parser } from "assemblyscript";
import { expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { createStub } from "./probe/stub.ts";
import { filtersOf } from "./transform/filters.ts";
import { capabilitiesOf, manifestOf, sha256Of } from "./transform/manifest.ts";
import { addReset } from "./transform/reuse.ts";
import { classesOf } from "./transform/syntax.ts";

const folder = join(import.meta.dirname, "probe", "settings");
const { wasm } = await buildPlugin(folder);

/** What the plugin says to a configuration: how it reads it, or why it refuses it. */
function answerTo(configuration: Uint8Array | string): string {
  const stub = createStub(wasm, (own) => ({
    proxy_get_log_level: (out = 0) => {
      own.writeU32(out, 2);
      return 0;
    },
    proxy_get_buffer_bytes: (_buffer, _start, _max, address = 0, size = 0) =>
      own.give(configuration, address, size),
  }));
  stub.call("proxy_on_context_create", 1, 0);
  if (stub.call("proxy_on_configure", 1, 9) === 1) {
    stub.call("proxy_on_context_create", 2, 1);
    stub.call("proxy_on_request_headers", 2, 0, 1);
  }
  const said = stub.calls.filter((call) => call.startsWith("log("));
  expect(said).toHaveLength(1);
  return said[0]?.replace(/^log\(\d, "(.*)"\)$/, "$1") ?? "";
}

const DEFAULTS = "canary true 0.5 -1";

test.each([
  ["", DEFAULTS],
  ["{}", DEFAULTS],
  [`{"cookie": "a", "isOn": false}`, "a false 0.5 -1"],
  [`{"ratio": -5e-1, "offset": -2147483648}`, "canary true -0.5 -2147483648"],
  [`{"ratio": 1.25}`, "canary true 1.25 -1"],
  [`{"rules": [{"name": "x"}, {"percent": 100, "name": "y"}]}`, `${DEFAULTS} x=10 y=100`],
  [`{"rules": []}`, DEFAULTS],
  [`{"tiers": {"a": 0, "b": 4294967295}}`, `${DEFAULTS} a:0 b:4294967295`],
  [`{"groups": {"g": ["x", "y"], "h": []}}`, `${DEFAULTS} g[x|y] h[]`],
  [`{"fallback": {"name": "f"}, "token": "t"}`, `${DEFAULTS} or f t`],
  [`{"fallback": null}`, DEFAULTS],
  [`{"share": "in_full"}`, `${DEFAULTS} 2`],
])("the configuration %j is read", (configuration, read) => {
  expect(answerTo(configuration)).toBe(read);
});

test.each([
  [
    `{"x": 1}`,
    "x is no setting; there are cookie, isOn, ratio, offset, rules, tiers, groups, fallback, token, realm and share, at byte 1",
  ],
  [`{"isOn": 1}`, "isOn: expected true or false, found a number, at byte 9"],
  [`{"isOn": truth}`, "isOn: expected true or false, misspelt, at byte 9"],
  [`{"isOn": true, "isOn": true}`, "isOn is given twice, at byte 15"],
  [`{"cookie": ""}`, "cookie: must have at least 1 bytes, at byte 13"],
  [`{"cookie": "123456789"}`, "cookie: must have at most 8 bytes, at byte 22"],
  [`{"cookie": null}`, "cookie: expected a string, found null, at byte 11"],
  [`{"ratio": 2}`, "ratio: must be at most 1.5, at byte 10"],
  [`{"ratio": -1}`, "ratio: must be at least -0.5, at byte 10"],
  [`{"ratio": 01}`, "ratio: JSON does not write a number like this, at byte 10"],
  [`{"ratio": 1.}`, "ratio: JSON does not write a number like this, at byte 10"],
  [`{"ratio": +1}`, "ratio: expected a number, found '+', at byte 10"],
  [`{"offset": 2147483648}`, "offset: must be at most 2147483647, at byte 11"],
  [`{"offset": 1.5}`, "offset: must be a whole number of at most 18 digits, at byte 11"],
  [`{"rules": {}}`, "rules: expected an array, found an object, at byte 10"],
  [`{"rules": [{}]}`, "rules[0] needs name, at byte 13"],
  [
    `{"rules": [{"name": "x"}, {"name": "y", "percent": 101}]}`,
    "rules[1].percent: must be at most 100, at byte 51",
  ],
  [`{"rules": [{"name": "x"},]}`, "rules[1]: expected an object, found ']', at byte 25"],
  [
    `{"rules": [{"name": "x"} {"name": "y"}]}`,
    "rules: expected a comma or the end of the array, found an object, at byte 25",
  ],
  [`{"rules": [`, "rules[0]: expected an object, found the end, at byte 11"],
  [
    `{"rules": [{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]}`,
    "rules: must have at most 3 items, at byte 63",
  ],
  [`{"tiers": {"a": -1}}`, "tiers.a: must be at least 0, at byte 16"],
  [`{"tiers": {"a": 1, "a": 2}}`, "tiers.a is given twice, at byte 19"],
  [`{"groups": {"g": ["x", 7]}}`, "groups.g[1]: expected a string, found a number, at byte 23"],
  [`{"fallback": {"percent": 1}}`, "fallback needs name, at byte 27"],
  [`{"share": "all"}`, "share: must be none, half or in_full, at byte 1"],
  [`{"share": 1}`, "share: expected a string, found a number, at byte 10"],
  [`{"isOn": false, "rules": [{"name": "x"}]}`, "configuration has rules but is off, at byte 41"],
])("the configuration %j is refused with its place", (configuration, problem) => {
  expect(answerTo(configuration)).toBe(`settings: ${problem}`);
});

test("no configuration traps, however damaged", () => {
  const whole = Buffer.from(
    `{"isOn":true,"ratio":1.5e0,"offset":-7,"rules":[{"name":"x"}],"groups":{"g":["y"]}}`,
  );
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0x00, 0x22, 0x2c, 0x2d, 0x5b, 0x5c, 0x5d, 0x65, 0x7b, 0x7d, 0x80, 0xff]) {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      answerTo(damaged);
    }
    if (at > 0) expect(answerTo(whole.subarray(0, at))).toMatch(/^settings: .+, at byte \d+$/);
  }
});

test("schema and type say what the decoder accepts", async () => {
  const text = await readFile(join(folder, "build", "settings.schema.json"), "utf8");
  const schema = JSON.parse(text);
  expect(schema).toMatchObject({
    title: "settings",
    description: "Every kind of setting there is.",
    additionalProperties: false,
    properties: {
      cookie: {
        description: "The cookie to look at.",
        type: "string",
        minLength: 1,
        maxLength: 8,
        default: "canary",
      },
      ratio: { type: "number", minimum: -0.5, maximum: 1.5, default: 0.5 },
      offset: { type: "integer", minimum: -2147483648, maximum: 2147483647, default: -1 },
      rules: { type: "array", items: { $ref: "#/$defs/Rule" }, maxItems: 3 },
      fallback: { anyOf: [{ $ref: "#/$defs/Rule" }, { type: "null" }] },
      realm: { type: "string", default: "the_realm" },
      share: { enum: ["none", "half", "in_full"] },
    },
    $defs: { Rule: { required: ["name"], additionalProperties: false } },
  });
  expect(manifestOf(wasm)).toMatchObject({
    roots: ["settings"],
    schemaSha256: sha256Of(text),
    capabilities: capabilitiesOf(wasm),
  });
  const types = await readFile(join(folder, "build", "settings.config.d.ts"), "utf8");
  expect(types).toContain("readonly groups?: Readonly<Record<string, readonly string[]>>;");
  expect(types).toContain("readonly name: string;");
});

test.each([
  [
    "fields with a first value",
    "a: i32 = 1; b: string = 'x'; c: Map<string, i32> = new Map<string, i32>();",
    true,
  ],
  ["fields whose first value is nothing", "a: u64; b: bool; c: Bytes | null;", true],
  ["a constant", "readonly a: i32 = 7;", true],
  ["uses of its own fields", "a: i32 = 0; onDone(): void { this.a = this.a + 1; }", true],
  [
    "a field that must not change but may within",
    "readonly a: Array<i32> = new Array<i32>();",
    false,
  ],
  ["a field without a first value", "a!: Bytes;", false],
  ["a constructor", "constructor() { super(); }", false],
  [
    "a callback that keeps it",
    "onDone(): void { new HttpCall('a').send(this, new B(this)); }",
    false,
  ],
])("a filter with %s serves again: %s %s", (_, members, isReusable) => {
  const parser = new Parser();
  const source = `@filter("a") class A extends HttpFilter { ${members} }`;
  parser.parseFile(source, "assembly/index.ts", true);
  const classes = classesOf(parser.sources);
  const [filter] = filtersOf(parser, classes);
  expect(filter && addReset(parser, classes, filter, new Set())).toBe(isReusable);
});
