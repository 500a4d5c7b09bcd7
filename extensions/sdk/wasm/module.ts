import {
  byte,
  type Cursor,
  entries,
  fixed32,
  isAtEnd,
  name,
  part,
  u32,
  WasmError,
} from "./cursor.ts";
import { Op, readInstruction } from "./instructions.ts";

/** What a module of WebAssembly holds. Functions and the like are numbered with imports first. */
export interface WasmModule {
  readonly wasm: Uint8Array;
  /** As they lie in the bytes. */
  readonly sections: readonly Section[];
  /** Written like "i32 i64 -> i32". */
  readonly types: readonly string[];
  readonly imports: readonly Import[];
  readonly functions: readonly Func[];
  readonly tables: readonly Limits[];
  readonly memories: readonly Limits[];
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  /** The function that runs within instantiation, if there is one. */
  readonly start: number | null;
  readonly elements: readonly Element[];
  /** Functions that the initial values of globals refer to. */
  readonly references: readonly number[];
}

export interface Section {
  /** 0 of custom sections. */
  readonly id: number;
  /** Of a custom section, the name that it begins with. */
  readonly name: string;
  /** Where it begins with its id and size. */
  readonly at: number;
  /** Its content; of a custom section what stands behind the name. */
  readonly start: number;
  readonly end: number;
}

const KINDS = ["function", "table", "memory", "global", "tag"] as const;
export type Kind = (typeof KINDS)[number];

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: Kind;
  /** Of a function; null for what is none. */
  readonly type: string | null;
}

export interface Export {
  readonly name: string;
  readonly kind: Kind;
  readonly type: string | null;
  readonly index: number;
}

export interface Func {
  readonly type: string;
  /** Null where it is defined here. */
  readonly import: Import | null;
  /** Null where it is imported. */
  readonly body: Body | null;
}

/** The code of a function, in bytes into the module. */
export interface Body {
  /** Where its size stands; then come its locals, then its instructions. */
  readonly at: number;
  readonly locals: number;
  readonly start: number;
  readonly end: number;
}

export interface Limits {
  readonly minimum: number;
  /** Null if none is set. */
  readonly maximum: number | null;
}

export interface Global {
  readonly type: string;
  readonly isMutable: boolean;
  readonly import: Import | null;
}

/** Functions that a table may come to hold. */
export interface Element {
  /** The table they are put into at the start; null where that is done later, or never. */
  readonly table: number | null;
  readonly functions: readonly number[];
}

/** The numbers of sections. */
export const SectionId = {
  custom: 0,
  types: 1,
  imports: 2,
  functions: 3,
  tables: 4,
  memories: 5,
  globals: 6,
  exports: 7,
  start: 8,
  elements: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tags: 13,
} as const;

/** The order they must have: tags stand before globals, the count of data before the code. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** The known sections and any number of custom ones that makes sense. */
const SECTIONS_MAX = 256;

/** Parameters or results of a function; the widest call of the ABI takes twelve. */
const VALUES_MAX = 1_000;

const MAGIC = 0x6d73_6100;
const VERSION = 1;
const FUNCTION_FORM = 0x60;

const VALUE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Bodies come last: until then a function is known by its type only. */
interface Draft extends Growing<Omit<WasmModule, "functions">> {
  functions: Growing<Func>[];
}

/**
 * Reads a module, up to the ranges of its code, and judges its format: each section once and in
 * order, filled by what it holds, which refers to what is there. Whether the code is valid only an
 * engine tells. Throws WasmError where the bytes are no module of the kind that proxies run.
 */
export function readModule(wasm: Uint8Array): WasmModule {
  const cursor: Cursor = { wasm, at: 0, end: wasm.byteLength };
  if (fixed32(cursor) !== MAGIC) throw new WasmError("it does not begin with \\0asm", 0);
  const version = fixed32(cursor);
  if (version !== VERSION) throw new WasmError(`version ${version} is not a core module's`, 4);
  const draft: Draft = {
    ...{ wasm, sections: [], types: [], imports: [], functions: [], tables: [], memories: [] },
    ...{ globals: [], exports: [], start: null, elements: [], references: [] },
  };
  let lastRank = -1;
  while (!isAtEnd(cursor)) {
    const { at } = cursor;
    if (draft.sections.length === SECTIONS_MAX) {
      throw new WasmError(`more than ${SECTIONS_MAX} sections`, at);
    }
    const id = byte(cursor);
    const content = part(cursor, u32(cursor));
    const custom = id === SectionId.custom ? name(content) : "";
    draft.sections.push({ id, name: custom, at, start: content.at, end: content.end });
    if (id === SectionId.custom) continue;
    const rank = SECTION_ORDER.indexOf(id);
    if (rank < 0) throw new WasmError(`unknown section ${id}`, at);
    if (rank <= lastRank) throw new WasmError(`section ${id} out of order or there twice`, at);
    lastRank = rank;
    readSection(id, content, draft);
    if (!isAtEnd(content)) {
      throw new WasmError(`section ${id} is longer than what it holds`, content.at);
    }
  }
  const bodiless = draft.functions.findIndex((each) => each.import === null && each.body === null);
  if (bodiless >= 0) throw new WasmError(`function ${bodiless} has no code`, cursor.end);
  return draft;
}

/** The contents of the custom sections of a name. */
export function customSections(module: WasmModule, wanted: string): Uint8Array[] {
  return module.sections
    .filter((section) => section.id === SectionId.custom && section.name === wanted)
    .map(({ start, end }) => module.wasm.subarray(start, end));
}

function readSection(id: number, section: Cursor, draft: Draft): void {
  switch (id) {
    case SectionId.types:
      draft.types = entries(section, readType);
      break;
    case SectionId.imports:
      entries(section, (cursor) => readImport(cursor, draft));
      break;
    case SectionId.functions:
      entries(section, (cursor) => {
        draft.functions.push({ type: typeAt(draft, cursor), import: null, body: null });
      });
      break;
    case SectionId.tables:
      entries(section, (cursor) => draft.tables.push(readTable(cursor)));
      break;
    case SectionId.memories:
      entries(section, (cursor) => draft.memories.push(readLimits(cursor)));
      break;
    case SectionId.globals:
      entries(section, (cursor) => {
        draft.globals.push({ ...readGlobalType(cursor), import: null });
        draft.references.push(...readConstant(cursor));
      });
      break;
    case SectionId.exports:
      entries(section, (cursor) => draft.exports.push(readExport(cursor, draft)));
      break;
    case SectionId.start:
      draft.start = indexOf("function", draft, section);
      break;
    case SectionId.elements:
      entries(section, (cursor) => draft.elements.push(readElement(cursor, draft)));
      break;
    case SectionId.code:
      readCode(section, draft);
      break;
    default:
      // Data, its count and tags decide nothing here.
      section.at = section.end;
  }
}

function readType(cursor: Cursor): string {
  const { at } = cursor;
  const form = byte(cursor);
  if (form !== FUNCTION_FORM) throw new WasmError(`unsupported type form ${hex(form)}`, at);
  const [parameters, results] = [readValues(cursor), readValues(cursor)];
  return [...parameters, "->", ...results].join(" ");
}

function readValues(cursor: Cursor): string[] {
  const { at } = cursor;
  const values = entries(cursor, readValueType);
  if (values.length > VALUES_MAX) throw new WasmError(`more than ${VALUES_MAX} values`, at);
  return values;
}

function readValueType(cursor: Cursor): string {
  const { at } = cursor;
  const code = byte(cursor);
  const type = VALUE_TYPES.get(code);
  if (type === undefined) throw new WasmError(`unsupported value type ${hex(code)}`, at);
  return type;
}

function typeAt({ types }: Draft, cursor: Cursor): string {
  const { at } = cursor;
  const index = u32(cursor);
  const type = types[index];
  if (type === undefined) throw new WasmError(`type ${index} of ${types.length}`, at);
  return type;
}

function readKind(cursor: Cursor): Kind {
  const { at } = cursor;
  const code = byte(cursor);
  const kind = KINDS[code];
  if (kind === undefined) throw new WasmError(`unknown kind ${code}`, at);
  return kind;
}

function readImport(cursor: Cursor, draft: Draft): void {
  const [module, named, kind] = [name(cursor), name(cursor), readKind(cursor)];
  const type = kind === "function" ? typeAt(draft, cursor) : null;
  const item: Import = { module, name: named, kind, type };
  draft.imports.push(item);
  switch (kind) {
    case "function":
      draft.functions.push({ type: type ?? "", import: item, body: null });
      break;
    case "table":
      draft.tables.push(readTable(cursor));
      break;
    case "memory":
      draft.memories.push(readLimits(cursor));
      break;
    case "global":
      draft.globals.push({ ...readGlobalType(cursor), import: item });
      break;
    case "tag":
      byte(cursor);
      typeAt(draft, cursor);
      break;
  }
}

function readTable(cursor: Cursor): Limits {
  readValueType(cursor);
  return readLimits(cursor);
}

/** Limits with or without a maximum; shared and 64-bit memories are for others than proxies. */
function readLimits(cursor: Cursor): Limits {
  const { at } = cursor;
  const flags = byte(cursor);
  if (flags > 1) throw new WasmError(`unsupported limits ${hex(flags)}`, at);
  return { minimum: u32(cursor), maximum: flags === 1 ? u32(cursor) : null };
}

function readGlobalType(cursor: Cursor): Omit<Global, "import"> {
  const type = readValueType(cursor);
  const { at } = cursor;
  const mutability = byte(cursor);
  if (mutability > 1) throw new WasmError(`unknown mutability ${hex(mutability)}`, at);
  return { type, isMutable: mutability === 1 };
}

/** Passes over a constant expression, and answers the functions it refers to. */
function readConstant(cursor: Cursor): number[] {
  const functions: number[] = [];
  for (;;) {
    const { opcode, operands } = readInstruction(cursor);
    if (opcode === Op.end) return functions;
    if (opcode === Op.refFunc) functions.push(...operands);
  }
}

function readExport(cursor: Cursor, draft: Draft): Export {
  const [named, kind] = [name(cursor), readKind(cursor)];
  const index = kind === "tag" ? u32(cursor) : indexOf(kind, draft, cursor);
  const type = kind === "function" ? (draft.functions[index]?.type ?? "") : null;
  return { name: named, kind, type, index };
}

/** The number of something that must be there. */
function indexOf(kind: Exclude<Kind, "tag">, draft: Draft, cursor: Cursor): number {
  const { at } = cursor;
  const index = u32(cursor);
  const lists = { function: draft.functions, table: draft.tables, memory: draft.memories };
  const { length } = kind === "global" ? draft.globals : lists[kind];
  if (index >= length) throw new WasmError(`${kind} ${index} of ${length}`, at);
  return index;
}

/** The bits of an element segment's flags. */
const [IS_PASSIVE, HAS_INDEX, HAS_EXPRESSIONS] = [1, 2, 4];

function readElement(cursor: Cursor, draft: Draft): Element {
  const { at } = cursor;
  const flags = u32(cursor);
  if (flags > 7) throw new WasmError(`unknown element segment ${flags}`, at);
  const [isPassive, hasIndex] = [(flags & IS_PASSIVE) !== 0, (flags & HAS_INDEX) !== 0];
  const table = !isPassive && hasIndex ? u32(cursor) : 0;
  if (!isPassive) readConstant(cursor);
  // What it holds is told only where it could be something else than functions.
  if (isPassive || hasIndex) byte(cursor);
  const functions =
    (flags & HAS_EXPRESSIONS) === 0
      ? entries(cursor, (each) => indexOf("function", draft, each))
      : entries(cursor, readConstant).flat();
  return { table: isPassive ? null : table, functions };
}

function readCode(section: Cursor, draft: Draft): void {
  const { at: start } = section;
  const own = draft.functions.filter((each) => each.import === null);
  let count = 0;
  entries(section, (cursor) => {
    const { at } = cursor;
    const body = part(cursor, u32(cursor));
    const locals = body.at;
    entries(body, (each) => {
      u32(each);
      readValueType(each);
    });
    const described = own[count++];
    if (described === undefined) throw new WasmError("code of no function", at);
    described.body = { at, locals, start: body.at, end: body.end };
  });
  if (count < own.length) throw new WasmError(`code of ${count} functions of ${own.length}`, start);
}

const hex = (value: number) => `0x${value.toString(16).padStart(2, "0")}`;
