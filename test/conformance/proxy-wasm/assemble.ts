// A small WebAssembly assembler: enough for modules that make hostcalls.

export type Code = readonly number[];

export interface FunctionSpec {
  /** As "i32 i64 -> i32". */
  readonly type: string;
  readonly locals?: number;
  readonly code: Code;
}

export interface ModuleSpec {
  readonly imports: readonly { module: string; name: string; type: string }[];
  /** Their indexes follow those of the imports. */
  readonly functions: readonly FunctionSpec[];
  /** Functions by index. */
  readonly exports: readonly (readonly [name: string, index: number])[];
  /** The function that runs when the module is instantiated, if there is one. */
  readonly start?: number;
  readonly memoryPages: number;
  readonly exportsMemory: boolean;
  /** Initial values of mutable i32 globals. */
  readonly globals: readonly number[];
  readonly data: Uint8Array;
  readonly dataAt: number;
  /** What the table holds, if there is one: functions by index. */
  readonly table?: readonly number[];
}

const VALUES: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e };
const END = 0x0b;

/** Unsigned and signed LEB128. */
export function u32(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [value] : [low + 128, ...u32(Math.floor(value / 128))];
}

export function s64(value: bigint): number[] {
  const low = Number(BigInt.asUintN(7, value));
  const rest = value >> 7n;
  const isLast = (rest === 0n && low < 64) || (rest === -1n && low >= 64);
  return isLast ? [low] : [low + 128, ...s64(rest)];
}

const text = (value: string): number[] => [...u32(Buffer.byteLength(value)), ...Buffer.from(value)];
const list = (items: readonly (readonly number[])[]) => [...u32(items.length), ...items.flat()];
const section = (id: number, body: readonly number[]) => [id, ...u32(body.length), ...body];

function typeCode(type: string): number[] {
  const [parameters = "", results = ""] = type.split("->");
  const values = (side: string) =>
    list(side.split(" ").flatMap((name) => (VALUES[name] === undefined ? [] : [[VALUES[name]]])));
  return [0x60, ...values(parameters), ...values(results)];
}

export function assemble(spec: ModuleSpec): Uint8Array {
  const { table } = spec;
  const types = [...new Set([...spec.imports, ...spec.functions].map(({ type }) => type))];
  const typeOf = (type: string) => u32(types.indexOf(type));
  const imports = spec.imports.map(({ module, name, type }) => [
    ...text(module),
    ...text(name),
    0,
    ...typeOf(type),
  ]);
  const exports = spec.exports.map(([name, index]) => [...text(name), 0, ...u32(index)]);
  if (spec.exportsMemory) exports.push([...text("memory"), 2, 0]);
  const globals = spec.globals.map((value) => [0x7f, 1, 0x41, ...s64(BigInt(value)), END]);
  const bodies = spec.functions.map(({ locals = 0, code }) => {
    const body = [...(locals > 0 ? [1, ...u32(locals), 0x7f] : [0]), ...code, END];
    return [...u32(body.length), ...body];
  });
  const data = [0, 0x41, ...s64(BigInt(spec.dataAt)), END, ...u32(spec.data.byteLength)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types.map(typeCode))),
    ...section(2, list(imports)),
    ...section(3, list(spec.functions.map(({ type }) => typeOf(type)))),
    ...(table === undefined ? [] : section(4, [1, 0x70, 0, ...u32(table.length)])),
    ...section(5, [1, 0, ...u32(spec.memoryPages)]),
    ...section(6, list(globals)),
    ...section(7, list(exports)),
    ...(spec.start === undefined ? [] : section(8, u32(spec.start))),
    ...(table === undefined ? [] : section(9, list([[0, 0x41, 0, END, ...list(table.map(u32))]]))),
    ...section(10, list(bodies)),
    ...section(11, list([[...data, ...spec.data]])),
  ]);
}
