import { resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { gateModule, inspectModule, MEMORY_PAGES_MAX, MODULE_BYTES_MAX } from "./gate.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const VALUES: Record<string, number> = { i32: 0x7f, i64: 0x7e };
const KINDS = { function: 0, table: 1, memory: 2, global: 3 };

/** A function in a module: its name, and its type as "i32 i64 -> i32". */
type Named = readonly [name: string, type: string];

/** A tiny module; what is not said is as a good plugin has it. */
interface Recipe {
  readonly imports?: readonly (readonly [module: string, name: string, type: string])[];
  readonly exports?: readonly Named[];
  /** Exports beside these: what kind is exported under which name. */
  readonly others?: readonly (readonly [name: string, kind: keyof typeof KINDS])[];
  readonly pages?: number;
  readonly start?: boolean;
  readonly custom?: readonly string[];
}

const MARKER: Named = ["proxy_abi_version_0_2_1", "->"];
const ALLOCATOR: Named = ["malloc", "i32 -> i32"];
const MEMORY = [["memory", "memory"]] as const;

function number(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...number(value >>> 7)];
}

function text(value: string): number[] {
  return [...number(Buffer.byteLength(value)), ...Buffer.from(value)];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...number(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...number(content.length), ...content];
}

function typeOf(type: string): number[] {
  const sides = type.split("->").map((side) => side.split(" ").filter(Boolean));
  return [0x60, ...sides.flatMap((side) => list(side.map((value) => [VALUES[value] ?? 0])))];
}

/** A body that answers 0, or nothing. */
function bodyOf(type: string): number[] {
  const code = type.endsWith("i32") ? [0, 0x41, 0, 0x0b] : [0, 0x0b];
  return [...number(code.length), ...code];
}

function moduleOf(recipe: Recipe = {}): Uint8Array {
  const { imports = [], exports = [MARKER, ALLOCATOR], others = MEMORY, pages = 1 } = recipe;
  const types = [...imports.map(([, , type]) => type), ...exports.map(([, type]) => type)];
  const at = (index: number) => number(imports.length + index);
  const imported = imports.map(([from, name], i) => [
    ...text(from),
    ...text(name),
    0,
    ...number(i),
  ]);
  const functions = exports.map(([name], i) => [...text(name), KINDS.function, ...at(i)]);
  const rest = others.map(([name, kind]) => [
    ...text(name),
    KINDS[kind],
    ...(kind === "function" ? at(0) : [0]),
  ]);
  return Uint8Array.from([
    ...HEADER,
    ...section(1, list(types.map(typeOf))),
    ...section(2, list(imported)),
    ...section(3, list(exports.map((_, i) => at(i)))),
    ...section(5, list([[0, ...number(pages)]])),
    ...section(7, list([...functions, ...rest])),
    ...(recipe.start ? section(8, at(0)) : []),
    ...section(10, list(exports.map(([, type]) => bodyOf(type)))),
    ...(recipe.custom ?? []).flatMap((name) => section(0, text(name))),
  ]);
}

/** Why a module is refused, or "" if it is not. */
function refusalOf(bytes: Uint8Array): string {
  try {
    gateModule(bytes);
    return "";
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    expect(error.kind).toBe("invalid");
    return error.message;
  }
}

test("the facts of a module are read from its bytes", () => {
  const bytes = moduleOf({
    imports: [["env", "proxy_record_metric", "i32 i64 -> i32"]],
    pages: 300,
    start: true,
    custom: ["name", "weft.manifest"],
  });
  expect(inspectModule(bytes)).toEqual({
    sizeBytes: bytes.byteLength,
    abiVersions: ["0.2.1"],
    imports: [
      { module: "env", name: "proxy_record_metric", kind: "function", type: "i32 i64 -> i32" },
    ],
    exports: [
      { name: "proxy_abi_version_0_2_1", kind: "function", type: "->" },
      { name: "malloc", kind: "function", type: "i32 -> i32" },
      { name: "memory", kind: "memory", type: null },
    ],
    hasStartSection: true,
    memory: { minPages: 300, maxPages: null },
    customSections: ["name", "weft.manifest"],
  });
});

test("header-stamp passes", async () => {
  const folder = resolve(import.meta.dirname, "..", "..", "extensions", "header-stamp");
  const { wasm } = await buildPlugin(folder);
  const { abiVersions, hasStartSection, sizeBytes } = gateModule(wasm);
  expect({ abiVersions, hasStartSection, sizeBytes }).toEqual({
    abiVersions: ["0.2.1"],
    hasStartSection: false,
    sizeBytes: wasm.byteLength,
  });
});

test.each(["0.1.0", "0.2.0", "0.2.1"])("a module of ABI %s passes with its own calls", (abi) => {
  const calls = {
    "0.1.0": "proxy_clear_route_cache",
    "0.2.0": "proxy_continue_stream",
    "0.2.1": "proxy_get_log_level",
  };
  const name = calls[abi as keyof typeof calls];
  const exports: Named[] = [
    [`proxy_abi_version_${abi.replaceAll(".", "_")}`, "->"],
    ["proxy_on_memory_allocate", "i32 -> i32"],
    ["proxy_on_request_headers", abi === "0.1.0" ? "i32 i32 -> i32" : "i32 i32 i32 -> i32"],
    ["of_no_interest_to_the_host", "i64 -> i32"],
  ];
  const imports = [
    ["env", name, abi === "0.1.0" ? "-> i32" : "i32 -> i32"],
    ["wasi_snapshot_preview1", "fd_write", "i32 i32 i32 i32 -> i32"],
    ["wasi_unstable", "proc_exit", "i32 ->"],
  ] as const;
  expect(gateModule(moduleOf({ imports, exports })).abiVersions).toEqual([abi]);
});

test("what is no module is refused", () => {
  const good = moduleOf();
  const refusals = {
    "nothing at all": [],
    "another magic": [...Buffer.from("(module)")],
    "a component": [0x00, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0],
    "an unknown section": [...HEADER, ...section(42, [])],
    "sections in disorder": [...HEADER, ...section(3, [0]), ...section(1, [0])],
    "a section twice": [...HEADER, ...section(1, [0]), ...section(1, [0])],
    "a section with more than it says": [...HEADER, ...section(1, [0, 0])],
    "a section longer than the module": [...HEADER, 1, 0x80, 0x80, 0x01],
    "a number without end": [...HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    "a count without entries": [...HEADER, ...section(1, number(2 ** 31 - 1))],
    "a type that is none": [...HEADER, ...section(1, [1, 0x5f])],
    "a value type that is none": [...HEADER, ...section(1, [1, 0x60, 1, 0x40, 0])],
    "a function of no type": [...HEADER, ...section(1, [0]), ...section(3, [1, 7])],
    "an export of no function": [...HEADER, ...section(7, list([[...text("f"), 0, 0]]))],
    "two memories": [
      ...HEADER,
      ...section(
        5,
        list([
          [0, 1],
          [0, 1],
        ]),
      ),
    ],
    "a shared memory": [...HEADER, ...section(5, list([[3, 1, 1]]))],
    "a name that is not UTF-8": [...HEADER, ...section(0, [1, 0xff])],
    "a name of many bytes": [
      ...HEADER,
      ...section(0, [...number(5_000), ...Array(5_000).fill(65)]),
    ],
    "sections without number": [
      ...HEADER,
      ...Array(300)
        .fill(section(0, text("x")))
        .flat(),
    ],
    "code that is invalid": [...HEADER, ...section(1, [1, 0x60, 0, 0]), ...section(3, [1, 0])],
  };
  for (const [what, bytes] of Object.entries(refusals)) {
    expect(refusalOf(Uint8Array.from(bytes)), what).toMatch(/^plugin\.not_wasm: not a WebAssembly/);
  }
  for (let length = 0; length < good.length; length++) {
    expect(refusalOf(good.subarray(0, length)), `cut at ${length}`).toMatch(/^plugin\./);
  }
});

test("a module that is too large is refused before it is read", () => {
  expect(refusalOf(new Uint8Array(MODULE_BYTES_MAX + 1))).toBe(
    "plugin.too_large: the module has 4194305 bytes, more than the 4194304 allowed: " +
      "strip it or optimise for size",
  );
  expect(refusalOf(new Uint8Array(MODULE_BYTES_MAX))).toMatch(/^plugin\.not_wasm/);
});

test("one known ABI marker is needed", () => {
  expect(refusalOf(moduleOf({ exports: [ALLOCATOR] }))).toBe(
    "plugin.no_abi: the module has no ABI marker: " +
      "export one function proxy_abi_version_0_2_1, as Proxy-Wasm SDKs do",
  );
  const two: Named[] = [MARKER, ["proxy_abi_version_0_1_0", "->"], ALLOCATOR];
  expect(refusalOf(moduleOf({ exports: two }))).toBe(
    "plugin.no_abi: the module has the markers of ABI 0.2.1 and 0.1.0: keep one",
  );
  const unknown: Named[] = [["proxy_abi_version_0_3_0", "->"], ALLOCATOR];
  expect(refusalOf(moduleOf({ exports: unknown }))).toBe(
    "plugin.no_abi: ABI 0.3.0 is not known: build for one of 0.1.0, 0.2.0, 0.2.1",
  );
});

test("a start section is refused, since it takes Envoy down", () => {
  expect(refusalOf(moduleOf({ start: true }))).toBe(
    "plugin.start_section: the module has a start section: " +
      "export that function as _initialize (asc: --exportStart _initialize)",
  );
});

test.each([
  ["env", "abort", "i32 i32 i32 i32 ->"],
  ["env", "proxy_clear_route_cache", "-> i32"],
  ["wasi_snapshot_preview1", "proc_raise", "i32 -> i32"],
  ["wasi_snapshot_preview2", "fd_write", "i32 i32 i32 i32 -> i32"],
  ["go", "runtime.wasmExit", "i32 ->"],
])("the import %s.%s, which no proxy links, is refused", (module, name, type) => {
  expect(refusalOf(moduleOf({ imports: [[module, name, type]] }))).toBe(
    `plugin.bad_import: no proxy offers the function ${module}.${name} to ABI 0.2.1: remove it`,
  );
});

test("a call of a later ABI is refused to an earlier one", () => {
  const exports: Named[] = [["proxy_abi_version_0_2_0", "->"], ALLOCATOR];
  const imports = [["env", "proxy_get_log_level", "i32 -> i32"]] as const;
  expect(refusalOf(moduleOf({ exports, imports }))).toBe(
    "plugin.bad_import: no proxy offers the function env.proxy_get_log_level to ABI 0.2.0: " +
      "remove it",
  );
});

test("an import of another type is refused with both types", () => {
  const imports = [["env", "proxy_log", "i32 i32 -> i32"]] as const;
  expect(refusalOf(moduleOf({ imports }))).toBe(
    "plugin.bad_import: the module imports env.proxy_log as i32 i32 -> i32, " +
      "but it is i32 i32 i32 -> i32: correct its declaration",
  );
});

test("an import that is no function is refused", () => {
  const memory = list([[...text("env"), ...text("memory"), KINDS.memory, 0, 1]]);
  const type = list([typeOf("->")]);
  const bytes = Uint8Array.from([
    ...HEADER,
    ...section(1, type),
    ...section(2, memory),
    ...section(3, list([[0]])),
    ...section(7, list([[...text(MARKER[0]), KINDS.function, 0]])),
    ...section(10, list([bodyOf("->")])),
  ]);
  expect(refusalOf(bytes)).toBe(
    "plugin.bad_import: no proxy offers the memory env.memory to ABI 0.2.1: remove it",
  );
});

test("a callback of another type is refused with both types", () => {
  const exports: Named[] = [MARKER, ALLOCATOR, ["proxy_on_request_headers", "i32 i32 -> i32"]];
  expect(refusalOf(moduleOf({ exports }))).toBe(
    "plugin.bad_export: the module exports proxy_on_request_headers as i32 i32 -> i32, " +
      "but the host calls i32 i32 i32 -> i32: correct its parameters",
  );
  const others = [...MEMORY, ["proxy_on_tick", "memory"]] as const;
  expect(refusalOf(moduleOf({ others }))).toBe(
    "plugin.bad_export: the module exports proxy_on_tick as memory, " +
      "but the host calls i32 ->: correct its parameters",
  );
});

test("a memory under its name and within the proxy's limit is needed", () => {
  expect(refusalOf(moduleOf({ others: [["mem", "memory"]] }))).toBe(
    "plugin.no_memory: the module exports no memory: define one and export it as memory",
  );
  expect(refusalOf(moduleOf({ others: [["memory", "function"]] }))).toMatch(/^plugin\.no_memory/);
  expect(refusalOf(moduleOf({ pages: MEMORY_PAGES_MAX }))).toBe("");
  expect(refusalOf(moduleOf({ pages: MEMORY_PAGES_MAX + 1 }))).toBe(
    "plugin.no_memory: the module asks for 16385 pages, more than the 16384 of a proxy: " +
      "lower its initial memory",
  );
});

test("an allocator is needed", () => {
  expect(refusalOf(moduleOf({ exports: [MARKER] }))).toBe(
    "plugin.no_allocator: the host cannot hand over memory: " +
      "export proxy_on_memory_allocate or malloc",
  );
});
