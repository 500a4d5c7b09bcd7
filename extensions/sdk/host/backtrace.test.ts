import { createHost, Trap } from "@weft/sdk/host";
import { expect, test } from "vitest";
import { assemble, u32 } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { findSource } from "./source-map.ts";

const [UNREACHABLE, CALL] = [0x00, 0x10];
const [ALLOCATOR, INNER, CONFIGURE, MARKER] = [0, 1, 2, 3];

/** A plugin whose `proxy_on_configure` calls a function that traps. */
const traps = assemble({
  imports: [],
  functions: [
    { type: "i32 -> i32", code: [0x41, 0] },
    { type: "->", code: [UNREACHABLE] },
    { type: "i32 i32 -> i32", code: [CALL, INNER, 0x41, 1] },
    { type: "->", code: [] },
  ],
  exports: [
    ["malloc", ALLOCATOR],
    ["proxy_on_configure", CONFIGURE],
    ["proxy_abi_version_0_2_1", MARKER],
  ],
  ...{ memoryPages: 1, exportsMemory: true, globals: [], data: new Uint8Array(), dataAt: 0 },
});

/** The same with a name section (core specification, appendix "Name Section"). */
function named(names: readonly (readonly [index: number, name: string])[]): Uint8Array {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const functions = [names.length, ...names.flatMap(([at, name]) => [at, ...text(name)])];
  const section = [...text("name"), 1, ...u32(functions.length), ...functions];
  return Uint8Array.from([...traps, 0, ...u32(section.length), ...section]);
}

function trapOf(wasm: Uint8Array, sourceMap?: string): Trap {
  try {
    createHost(wasm, sourceMap === undefined ? {} : { sourceMap }).start("");
  } catch (error) {
    if (error instanceof Trap) return error;
    throw error;
  }
  throw new Error("it did not trap");
}

/** Where the two instructions lie: the assembler's code section ends with these bodies. */
const at = (bytes: readonly number[]) => Buffer.from(traps).lastIndexOf(Buffer.from(bytes));
const INNER_AT = at([UNREACHABLE, 0x0b, 6]);
const CONFIGURE_AT = at([CALL, INNER]);

test("a backtrace names the functions of the name section, the innermost first", () => {
  const wasm = named([
    [INNER, "assembly/index/inner"],
    [CONFIGURE, "assembly/index/configure"],
  ]);
  expect(trapOf(wasm).backtrace).toEqual([
    { name: "assembly/index/inner", offset: INNER_AT, source: null },
    { name: "assembly/index/configure", offset: CONFIGURE_AT, source: null },
  ]);
});

test("a function without a name is told by its index, and what trapped by its callback", () => {
  const { message, backtrace } = trapOf(traps);
  expect([message, backtrace.map(({ name }) => name)]).toEqual([
    "proxy_on_configure trapped: without a word",
    ["function 1", "function 2"],
  ]);
});

test("with a source map it tells where the source is", () => {
  // All code is of line 3, column 2.
  const map = JSON.stringify({ version: 3, sources: ["assembly/index.ts"], mappings: "AAEC" });
  expect(trapOf(traps, map).backtrace.map(({ source }) => source)).toEqual([
    "assembly/index.ts:3:2",
    "assembly/index.ts:3:2",
  ]);
});

test("code that no source tells of has none, though code before it has", () => {
  const map = JSON.stringify({ sources: ["a.ts"], mappings: "UAAA,G,GACA" });
  expect([12, 13, 15, 16].map((offset) => findSource(map, offset, null))).toEqual([
    "a.ts:1:1",
    null,
    null,
    "a.ts:2:1",
  ]);
});

test.each([
  // A call at 13 belongs to the code before it, but not to that of another function.
  ["the library's, in its function", 13, { start: 10, isOwn: false }, "~lib/b.ts:1:1"],
  ["the plugin's, in its function", 13, { start: 10, isOwn: true }, "a.ts:1:1"],
  ["the library's, if there is no other", 13, { start: 11, isOwn: true }, "~lib/b.ts:1:1"],
  ["none, if the function has none", 13, { start: 13, isOwn: true }, null],
])("the place of a call is %s", (_, offset, around, source) => {
  // At 10 the plugin's, at 12 the library's, from 13 on nobody's.
  const map = JSON.stringify({ sources: ["a.ts", "~lib/b.ts"], mappings: "UAAA,ECAA,C" });
  expect(findSource(map, offset, around)).toBe(source);
});

test.each([
  [9, null],
  [10, "a.ts:1:1"],
  [25, "a.ts:1:1"],
  [26, "b.ts:3:2"],
  [27, "a.ts:2:1"],
  [9_999, "a.ts:2:1"],
])("byte %i is found in a map with steps forth and back", (offset, source) => {
  // By 10 bytes; by 16, a file, two lines and a column on; by 1, and one of each back.
  const mappings = "UAAA,gBCEC,CDDD";
  expect(findSource(JSON.stringify({ sources: ["a.ts", "b.ts"], mappings }), offset, null)).toBe(
    source,
  );
});
