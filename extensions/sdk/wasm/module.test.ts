import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble, u32 } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { buildPlugin } from "../build.ts";
import { Module, validate } from "../host/webassembly.ts";
import { blocksOf, functionNames, instrument, readModule, WasmError } from "./index.ts";
import { readInstruction } from "./instructions.ts";

const { wasm: stamp } = await buildPlugin(join(import.meta.dirname, "../../header-stamp"));

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const section = (id: number, content: readonly number[]) => [
  id,
  ...u32(content.length),
  ...content,
];
const text = (value: string) => [value.length, ...Buffer.from(value)];

/** Reads everything there is to read, or tells what is wrong. */
function problemOf(bytes: Iterable<number>): string {
  const wasm = Uint8Array.from(bytes);
  try {
    const module = readModule(wasm);
    functionNames(module);
    instrument(module, { meter: true, cover: true });
    return "";
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
    expect(error.message).toContain(` at byte ${error.offset}`);
    expect(error.offset).toBeLessThanOrEqual(wasm.byteLength);
    return error.message;
  }
}

test("a module is read with its types, and what is imported comes first", () => {
  const wasm = assemble({
    imports: [{ module: "env", name: "proxy_log", type: "i32 i32 i32 -> i32" }],
    functions: [
      { type: "i32 -> i32", code: [0x20, 0], locals: 3 },
      { type: "i64 ->", code: [] },
    ],
    exports: [
      ["malloc", 1],
      ["log", 0],
    ],
    ...{ memoryPages: 2, exportsMemory: true, globals: [7], data: Buffer.from("x"), dataAt: 0 },
    table: [1, 2, 0],
  });
  const { sections, functions, ...module } = readModule(wasm);
  const log = {
    ...{ module: "env", name: "proxy_log" },
    ...{ kind: "function", type: "i32 i32 i32 -> i32" },
  };
  const i32s = "i32 i32 i32 -> i32";
  expect(module).toEqual({
    wasm,
    types: [i32s, "i32 -> i32", "i64 ->"],
    imports: [log],
    tables: [{ minimum: 3, maximum: null }],
    memories: [{ minimum: 2, maximum: null }],
    globals: [{ type: "i32", isMutable: true, import: null }],
    exports: [
      { name: "malloc", kind: "function", type: "i32 -> i32", index: 1 },
      { name: "log", kind: "function", type: i32s, index: 0 },
      { name: "memory", kind: "memory", type: null, index: 0 },
    ],
    start: null,
    elements: [{ table: 0, functions: [1, 2, 0] }],
    references: [],
  });
  expect(functions.map(({ type, import: from, body }) => [type, from, body !== null])).toEqual([
    [i32s, log, false],
    ["i32 -> i32", null, true],
    ["i64 ->", null, true],
  ]);
  const [, first] = functions;
  expect([...wasm.subarray(first?.body?.at, first?.body?.end)]).toEqual([
    6, 1, 3, 0x7f, 0x20, 0, 11,
  ]);
  expect([...wasm.subarray(first?.body?.start, first?.body?.end)]).toEqual([0x20, 0, 11]);
  expect(sections.map(({ id, at, end }) => [id, end - at]).slice(0, 2)).toEqual([
    [1, 19],
    [2, 19],
  ]);
});

test("a plugin's module is read as V8 reflects it", () => {
  const module = readModule(stamp);
  const compiled = new Module(stamp);
  const shape = ({ name, kind }: { name: string; kind: string }) => ({ name, kind });
  expect(module.exports.map(shape)).toEqual(Module.exports(compiled).map(shape));
  expect(module.imports.map(shape)).toEqual(Module.imports(compiled).map(shape));
  const configure = module.exports.find(({ name }) => name === "proxy_on_configure");
  expect(functionNames(module).get(configure?.index ?? -1)).toBe(
    "~lib/@weft/sdk/assembly/entry/plugin/proxy_on_configure",
  );
  const defined = module.functions.flatMap(({ body }, index) => (body === null ? [] : [index]));
  expect(blocksOf(module).map(({ index }) => index)).toEqual(defined);
});

/** A module whose one function is an instruction that is never reached, where any operands do. */
function withInstruction(code: readonly number[]): Uint8Array {
  // A constant follows that no immediate can take in a part of: no opcode would come next.
  const behind = [0xfd, 0x0c, ...Array<number>(16).fill(0xff), 0x1a, 0x00, 0x0b];
  const body = [1, 1, 0x7f, 0x00, ...code, ...behind];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(4, [1, 0x70, 0, 1]),
    ...section(5, [1, 0, 1]),
    ...section(6, [1, 0x7f, 1, 0x41, 0, 0x0b]),
    ...section(9, [1, 3, 0, 1, 0]),
    ...section(12, [1]),
    ...section(10, [1, ...u32(body.length), ...body]),
    ...section(11, [1, 1, 0]),
  ]);
}

/** Instructions with immediates that zeros are none for, or that need others around them. */
const STRUCTURE = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x1c];

/** Those that V8 has beyond what proxies have: exceptions, typed references and GC. */
const BEYOND = [
  ...[0x06, 0x07, 0x08, 0x09, 0x0a, 0x14, 0x15, 0x18, 0x19, 0x1f],
  ...[0xd3, 0xd4, 0xd5, 0xd6],
];

const OPCODES = [
  ...Array.from({ length: 0xfb }, (_, i) => [i]),
  ...Array.from({ length: 0x20 }, (_, i) => [0xfc, i]),
  ...Array.from({ length: 0x180 }, (_, i) => [0xfd, ...u32(i)]),
].filter(([first = 0]) => !STRUCTURE.includes(first) && !BEYOND.includes(first));

/** How many zeros an opcode wants behind it; -1 if there is no such instruction. */
function immediates(opcode: readonly number[], isWhole: (code: number[]) => boolean): number {
  const lengths = Array.from({ length: 20 }, (_, length) => length);
  return lengths.findIndex((zeros) => isWhole([...opcode, ...Array<number>(zeros).fill(0)]));
}

function canRead(code: readonly number[]): boolean {
  try {
    readInstruction({ wasm: Uint8Array.from(code), at: 0, end: code.length });
    return true;
  } catch (error) {
    if (error instanceof WasmError) return false;
    throw error;
  }
}

test("the instructions that V8 knows are known, with as much behind them, and no others", () => {
  const told = OPCODES.map((opcode) => {
    const name = opcode.map((each) => each.toString(16)).join(" ");
    return [name, immediates(opcode, canRead)] as const;
  });
  const ofV8 = OPCODES.map((opcode, i) => {
    return [told[i]?.[0], immediates(opcode, (code) => validate(withInstruction(code)))] as const;
  });
  expect(told).toEqual(ofV8);
  expect(told.filter(([, zeros]) => zeros >= 0).length).toBeGreaterThan(400);
});

test.each([
  ["nothing", [], "4 of 4 bytes are missing at byte 0"],
  ["text", Buffer.from("(module)"), "it does not begin with \\0asm at byte 0"],
  [
    "a component",
    [0, 0x61, 0x73, 0x6d, 13, 0, 1, 0],
    "version 65549 is not a core module's at byte 4",
  ],
  ["an unknown section", [...HEADER, 42, 0], "unknown section 42 at byte 8"],
  ["disorder", [...HEADER, 3, 1, 0, 1, 1, 0], "section 1 out of order or there twice at byte 11"],
  [
    "a section with a rest",
    [...HEADER, 1, 2, 0, 9],
    "section 1 is longer than what it holds at byte 11",
  ],
  ["a section cut short", [...HEADER, 1, 3, 0], "2 of 3 bytes are missing at byte 11"],
  [
    "a long number",
    [...HEADER, 1, 255, 255, 255, 255, 31],
    "a number of more than 32 bits at byte 9",
  ],
  [
    "a count of nothing",
    [...HEADER, 1, 2, 0x80, 1],
    "128 entries, more than there are bytes, at byte 10",
  ],
  ["a struct type", [...HEADER, 1, 3, 1, 0x5f, 0], "unsupported type form 0x5f at byte 11"],
  [
    "a value type",
    [...HEADER, 1, 5, 1, 0x60, 1, 0x6e, 0],
    "unsupported value type 0x6e at byte 13",
  ],
  ["a shared memory", [...HEADER, 5, 4, 1, 3, 1, 1], "unsupported limits 0x03 at byte 11"],
  ["a function of no type", [...HEADER, 3, 2, 1, 0], "type 0 of 0 at byte 11"],
  ["an export of nothing", [...HEADER, 7, 5, 1, 1, 0x66, 0, 3], "function 3 of 0 at byte 14"],
  ["a name that is no text", [...HEADER, 0, 2, 1, 0xff], "a name that is not UTF-8 at byte 11"],
])("of %s the reader tells what is wrong and where", (_, bytes, problem) => {
  expect(problemOf(bytes)).toBe(problem);
});

test.each([
  ["an atomic instruction", [0xfe, 0x10, 2, 0], "unknown instruction 0xfe"],
  ["an exception", [0x06, 0x40, 0x0b], "unknown instruction 0x06"],
  ["a vector instruction that is none", [0xfd, 0x9a, 1], "unknown instruction 0xfd 0x9a"],
  ["a label that is not there", [0x0c, 2], "label 2 of 1"],
  ["else alone", [0x05], "else without if"],
  ["an end too many", [0x0b], "code behind a function"],
  ["a long constant", [0x41, 0xff, 0xff, 0xff, 0xff, 0x3f], "a number of more than 32 bits"],
])("of %s in code it tells where", (_, code, problem) => {
  const wasm = withInstruction(code);
  const at = Buffer.from(wasm).lastIndexOf(Buffer.from([0x7f, 0x00, ...code])) + 2;
  expect(problemOf(wasm)).toMatch(problem);
  expect(Number(/\d+$/.exec(problemOf(wasm))?.[0])).toBeGreaterThanOrEqual(at);
});

test("names that engines ignore are none", () => {
  const named = (content: readonly number[]) =>
    functionNames(
      readModule(Uint8Array.from([...HEADER, ...section(0, [...text("name"), ...content])])),
    );
  expect(named([1, 5, 1, 7, 2, 0x68, 0x69])).toEqual(new Map([[7, "hi"]]));
  expect(named([0, 1, 0, 1, 3, 1, 0, 0])).toEqual(new Map([[0, ""]]));
  expect(named([1, 5, 9, 7])).toEqual(new Map());
  expect(named([])).toEqual(new Map());
});

test("a module cut or changed anywhere is read, or told where it is wrong", () => {
  for (let length = 0; length < stamp.length; length += 7) problemOf(stamp.subarray(0, length));
  const code = readModule(stamp).sections.find(({ id }) => id === 10)?.end ?? 0;
  const change = fc.record({ at: fc.nat(code), to: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const wasm = stamp.slice();
      for (const { at, to } of changes) wasm[at] = to;
      const problem = problemOf(wasm);
      // What V8 takes is within what proxies have, but for the proposals they have not.
      if (validate(wasm)) expect(problem).toMatch(/^$|unsupported|unknown instruction|a name of/);
    }),
    { numRuns: 500 },
  );
});

test("garbage is told where it is wrong", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      problemOf(bytes);
      problemOf([...HEADER, ...bytes]);
    }),
    { numRuns: 5_000 },
  );
});
