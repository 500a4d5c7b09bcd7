import { WeftError } from "@weft/core/error";
import { ABI_VERSIONS, type AbiVersion, callbackType, findCall } from "@weft/sdk/host";

/** What a WebAssembly module says about itself. Types are written like "i32 i64 -> i32". */
export interface ModuleFacts {
  readonly sizeBytes: number;
  /** The ABI versions whose marker it exports, as "0.2.1". */
  readonly abiVersions: readonly string[];
  /** `type` is null for what is not a function. */
  readonly imports: readonly { module: string; name: string; kind: Kind; type: string | null }[];
  readonly exports: readonly { name: string; kind: Kind; type: string | null }[];
  readonly hasStartSection: boolean;
  /** Null if it has none; `maxPages` null if it sets none. A page is 64 KiB. */
  readonly memory: { readonly minPages: number; readonly maxPages: number | null } | null;
  readonly customSections: readonly string[];
}

const KINDS = ["function", "table", "memory", "global", "tag"] as const;
type Kind = (typeof KINDS)[number];

/** Larger modules cost each worker more than a filter may: 4 MiB already take 40 ms to swap in. */
export const MODULE_BYTES_MAX = 4 * 1024 * 1024;

/** Envoy's own limit: 1 GiB, in pages of 64 KiB. */
export const MEMORY_PAGES_MAX = 16_384;

/** Entries in one section. Compiled Go has some ten thousand functions, and nothing has more. */
const ENTRIES_MAX = 100_000;

/** Parameters or results of a function; the widest call of the ABI takes twelve. */
const VALUES_MAX = 100;

/** Bytes of a name; C++ symbols grow long, but not that long. */
const NAME_BYTES_MAX = 4_096;

/** Sections of one module: the known ones and any number of custom ones that makes sense. */
const SECTIONS_MAX = 256;

/** Reads a module, without judging it beyond the format. */
export function inspectModule(bytes: Uint8Array): ModuleFacts {
  if (bytes.byteLength > MODULE_BYTES_MAX) {
    const size = `${bytes.byteLength} bytes, more than the ${MODULE_BYTES_MAX} allowed`;
    throw refusal("plugin.too_large", `the module has ${size}: strip it or optimise for size`);
  }
  const reader = createReader(bytes, 0, bytes.byteLength);
  if (reader.u32le() !== 0x6d736100) {
    throw notWasm(
      "it does not begin with \\0asm: give the compiled .wasm, not its text or archive",
    );
  }
  const version = reader.u32le();
  if (version !== 1) throw notWasm(`version ${version}: give a core module of version 1`);
  const draft = createDraft(bytes.byteLength);
  let lastRank = 0;
  for (let count = 0; !reader.isAtEnd(); count++) {
    if (count === SECTIONS_MAX) throw notWasm(`more than ${SECTIONS_MAX} sections`);
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id === 0) {
      draft.customSections.push(section.name());
      continue;
    }
    const rank = SECTION_ORDER.indexOf(id) + 1;
    if (rank === 0) throw notWasm(`section ${id} is not known`);
    if (rank <= lastRank) throw notWasm(`section ${id} is out of order or there twice`);
    lastRank = rank;
    readSection(id, section, draft);
  }
  return factsOf(draft);
}

/**
 * Refuses a module that Envoy would refuse, or die of, when it is loaded. Whether it then accepts
 * its configuration only running it can tell.
 */
export function gateModule(bytes: Uint8Array): ModuleFacts {
  const facts = inspectModule(bytes);
  if (!validate(bytes)) throw notWasm("its code is invalid: compile it again");
  const abi = gateAbi(facts);
  // The host has neither memory nor context then: a hostcall takes the whole of Envoy down.
  if (facts.hasStartSection) {
    const mend = "export that function as _initialize (asc: --exportStart _initialize)";
    throw refusal("plugin.start_section", `the module has a start section: ${mend}`);
  }
  for (const { module, name, kind, type } of facts.imports) {
    const wanted = findCall(module, name, abi)?.type;
    if (wanted === undefined || kind !== "function") {
      const what = `${kind} ${module}.${name}`;
      throw refusal("plugin.bad_import", `no proxy offers the ${what} to ABI ${abi}: remove it`);
    }
    if (type !== wanted) {
      const types = `${module}.${name} as ${type}, but it is ${wanted}`;
      throw refusal("plugin.bad_import", `the module imports ${types}: correct its declaration`);
    }
  }
  gateExports(facts, abi);
  return facts;
}

function gateAbi({ abiVersions }: ModuleFacts): AbiVersion {
  const known = ABI_VERSIONS.join(", ");
  const [abi, ...others] = abiVersions;
  if (abi === undefined) {
    const mend = "export one function proxy_abi_version_0_2_1, as Proxy-Wasm SDKs do";
    throw refusal("plugin.no_abi", `the module has no ABI marker: ${mend}`);
  }
  if (others.length > 0) {
    const versions = abiVersions.join(" and ");
    throw refusal("plugin.no_abi", `the module has the markers of ABI ${versions}: keep one`);
  }
  const version = ABI_VERSIONS.find((each) => each === abi);
  if (version === undefined) {
    throw refusal("plugin.no_abi", `ABI ${abi} is not known: build for one of ${known}`);
  }
  return version;
}

function gateExports({ exports, memory }: ModuleFacts, abi: AbiVersion): void {
  for (const { name, kind, type } of exports) {
    const wanted = callbackType(name, abi);
    if (wanted === undefined || (kind === "function" && type === wanted)) continue;
    const types = `${name} as ${type ?? kind}, but the host calls ${wanted}`;
    throw refusal("plugin.bad_export", `the module exports ${types}: correct its parameters`);
  }
  if (
    memory === null ||
    !exports.some(({ name, kind }) => name === "memory" && kind === "memory")
  ) {
    const mend = "define one and export it as memory";
    throw refusal("plugin.no_memory", `the module exports no memory: ${mend}`);
  }
  if (memory.minPages > MEMORY_PAGES_MAX) {
    const pages = `${memory.minPages} pages, more than the ${MEMORY_PAGES_MAX} of a proxy`;
    throw refusal("plugin.no_memory", `the module asks for ${pages}: lower its initial memory`);
  }
  if (!exports.some(({ name }) => name === "malloc" || name === "proxy_on_memory_allocate")) {
    const mend = "export proxy_on_memory_allocate or malloc";
    throw refusal("plugin.no_allocator", `the host cannot hand over memory: ${mend}`);
  }
}

type Code = ConstructorParameters<typeof WeftError>[1];

function refusal(code: Code, message: string): WeftError {
  return new WeftError("invalid", code, message);
}

function notWasm(what: string): WeftError {
  return refusal("plugin.not_wasm", `not a WebAssembly module: ${what}`);
}

/** Judges the code itself, which the reader passes over. Node's types leave WebAssembly out. */
const { validate } = (
  globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } }
).WebAssembly;

// ---- The format (WebAssembly core specification, "Binary Format") ----

/** The sections in the order they must have: tag stands before global, data count before code. */
const SECTION_ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

const VALUE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What has been read so far; `functions` holds the type of each, imports first. */
interface Draft {
  readonly sizeBytes: number;
  readonly types: string[];
  readonly functions: string[];
  readonly imports: Mutable<ModuleFacts["imports"][number]>[];
  readonly exports: Mutable<ModuleFacts["exports"][number]>[];
  readonly memories: NonNullable<ModuleFacts["memory"]>[];
  readonly customSections: string[];
  hasStartSection: boolean;
}

function createDraft(sizeBytes: number): Draft {
  const lists = { types: [], functions: [], imports: [], exports: [], memories: [] };
  return { sizeBytes, ...lists, customSections: [], hasStartSection: false };
}

function factsOf(draft: Draft): ModuleFacts {
  const { sizeBytes, imports, exports, memories, hasStartSection, customSections } = draft;
  const marker = /^proxy_abi_version_(\w+)$/;
  const versions = exports.map(({ name, kind }) =>
    kind === "function" ? marker.exec(name)?.[1]?.replaceAll("_", ".") : undefined,
  );
  return {
    sizeBytes,
    abiVersions: versions.filter((version) => version !== undefined),
    imports,
    exports,
    hasStartSection,
    memory: memories[0] ?? null,
    customSections,
  };
}

function readSection(id: number, section: Reader, draft: Draft): void {
  switch (id) {
    case 1:
      section.entries(() => draft.types.push(readType(section)));
      break;
    case 2:
      section.entries(() => readImport(section, draft));
      break;
    case 3:
      section.entries(() => draft.functions.push(typeAt(draft.types, section.u32())));
      break;
    case 5:
      section.entries(() => draft.memories.push(readLimits(section)));
      if (draft.memories.length > 1) throw notWasm("more than one memory");
      break;
    case 7:
      section.entries(() => readExport(section, draft));
      break;
    case 8:
      typeAt(draft.functions, section.u32());
      draft.hasStartSection = true;
      break;
    default:
      return; // Tables, globals, elements, code and data decide nothing here.
  }
  if (!section.isAtEnd()) throw notWasm(`section ${id} is longer than what it holds`);
}

function readType(section: Reader): string {
  const form = section.byte();
  if (form !== 0x60) throw notWasm(`type form 0x${form.toString(16)}, where 0x60 is supported`);
  const [parameters, results] = [readValues(section), readValues(section)];
  return [...parameters, "->", ...results].join(" ");
}

function readValues(section: Reader): string[] {
  const values: string[] = [];
  section.entries(() => values.push(readValue(section)), VALUES_MAX);
  return values;
}

function readValue(section: Reader): string {
  const code = section.byte();
  const value = VALUE_TYPES.get(code);
  if (value === undefined) throw notWasm(`value type 0x${code.toString(16)} is not supported`);
  return value;
}

function readKind(section: Reader): Kind {
  const code = section.byte();
  const kind = KINDS[code];
  if (kind === undefined) throw notWasm(`kind ${code} is not known`);
  return kind;
}

function readImport(section: Reader, draft: Draft): void {
  const [module, name, kind] = [section.name(), section.name(), readKind(section)];
  let type: string | null = null;
  if (kind === "function") {
    type = typeAt(draft.types, section.u32());
    draft.functions.push(type);
  } else if (kind === "memory") {
    draft.memories.push(readLimits(section));
  } else if (kind === "table") {
    readValue(section);
    readLimits(section);
  } else {
    section.byte(); // A global's value type, a tag's attribute; then mutability, or a type.
    section.u32();
  }
  draft.imports.push({ module, name, kind, type });
}

function readExport(section: Reader, draft: Draft): void {
  const [name, kind, index] = [section.name(), readKind(section), section.u32()];
  const type = kind === "function" ? typeAt(draft.functions, index) : null;
  draft.exports.push({ name, kind, type });
}

/** Limits with or without a maximum; shared and 64-bit memories are for others than proxies. */
function readLimits(section: Reader): NonNullable<ModuleFacts["memory"]> {
  const flags = section.byte();
  if (flags > 1) throw notWasm(`memory or table flags 0x${flags.toString(16)} are not supported`);
  return { minPages: section.u32(), maxPages: flags === 1 ? section.u32() : null };
}

function typeAt(types: readonly string[], index: number): string {
  const type = types[index];
  if (type === undefined) throw notWasm(`index ${index}, where there are ${types.length}`);
  return type;
}

interface Reader {
  isAtEnd(): boolean;
  byte(): number;
  u32(): number;
  u32le(): number;
  name(): string;
  /** The next bytes, as a reader of their own. */
  part(length: number): Reader;
  /** Reads a count and calls back that often. */
  entries(readEntry: () => void, countMax?: number): void;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function createReader(bytes: Uint8Array, start: number, end: number): Reader {
  let at = start;
  const take = (length: number): Uint8Array => {
    if (length > end - at) throw notWasm(`it ends inside byte ${at}: it is cut short`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const byte = () => take(1)[0] ?? 0;
  const u32 = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (value > 0xffff_ffff) break;
      if (next < 0x80) return value;
    }
    throw notWasm(`the number before byte ${at} is larger than 32 bits`);
  };
  return {
    isAtEnd: () => at === end,
    byte,
    u32,
    u32le: () => take(4).reduceRight((value, next) => value * 256 + next, 0),
    name: () => {
      const length = u32();
      if (length > NAME_BYTES_MAX) throw notWasm(`a name longer than ${NAME_BYTES_MAX} bytes`);
      try {
        return utf8.decode(take(length));
      } catch (cause) {
        if (cause instanceof WeftError) throw cause;
        throw notWasm(`the name before byte ${at} is not UTF-8`);
      }
    },
    part: (length) => {
      take(length);
      return createReader(bytes, at - length, at);
    },
    entries: (readEntry, countMax = ENTRIES_MAX) => {
      const count = u32();
      if (count > countMax) throw notWasm(`${count} entries before byte ${at}, over ${countMax}`);
      for (let i = 0; i < count; i++) readEntry();
    },
  };
}
