import { type Block, blocksOf, type FunctionBlocks } from "./blocks.ts";
import { nameBytes, signedBytes, u32Bytes } from "./encode.ts";
import { type Payment, planFuel } from "./fuel.ts";
import { Op } from "./instructions.ts";
import { type Section, SectionId, type WasmModule } from "./module.ts";
import {
  type Change,
  lengthOf,
  type Piece,
  type Rewritten,
  rewrite,
  withEntries,
} from "./rewrite.ts";

export interface Instruments {
  /** Count fuel: instructions executed. */
  readonly meter?: boolean;
  /** Count how often each block runs. */
  readonly cover?: boolean;
}

/** A module that does the same as before, and lets its host see more of it. */
export interface Instrumented extends Rewritten {
  /** The names under which it exports its mutable globals, all but vectors. */
  readonly globals: readonly string[];
  /**
   * The name of an exported i64 that grows by each instruction, before it runs. On a turn of a
   * loop, or on entry to a function that calls itself, the module traps if it is above zero: a
   * host that allows so much sets it to minus that. It begins as low as there is.
   */
  readonly fuel: string | null;
  readonly coverage: Counters | null;
}

/** The blocks that are counted, and the exported memory of the counts: a u64 for each, in order. */
export interface Counters {
  readonly memory: string;
  readonly functions: readonly FunctionBlocks[];
}

const PAGE_BYTES = 65_536;
const COUNTER_BYTES = 8;

/** Bit 6 of an alignment says that the memory is told; 3 is that of eight bytes. */
const COUNTER_ALIGNMENT = 0x40 | 3;

const [I64, MUTABLE, NO_RESULT] = [0x7e, 1, 0x40];
const [MEMORY_KIND, GLOBAL_KIND] = [2, 3];

/** As low as fuel can begin. */
const UNLIMITED = -(2n ** 63n);

/** Exports the state of a module, and puts counters into its code as asked. */
export function instrument(module: WasmModule, instruments: Instruments = {}): Instrumented {
  const { meter = false, cover = false } = instruments;
  const reserved = reservedPrefix(module);
  const state = module.globals.flatMap(({ type, isMutable }, index) =>
    isMutable && type !== "v128" ? [{ name: `${reserved}global.${index}`, index }] : [],
  );
  const exports = state.map(({ name, index }) => exported(name, GLOBAL_KIND, index));
  const changes: Change[] = [];
  const functions = meter || cover ? blocksOf(module) : [];
  const fuel = meter ? `${reserved}fuel` : null;
  if (fuel !== null) {
    const initial = [I64, MUTABLE, Op.i64Const, ...signedBytes(UNLIMITED), Op.end];
    changes.push(withEntries(module, SectionId.globals, [initial]));
    exports.push(exported(fuel, GLOBAL_KIND, module.globals.length));
  }
  const coverage = cover ? { memory: `${reserved}coverage`, functions } : null;
  if (coverage !== null) {
    const count = functions.reduce((sum, { blocks }) => sum + blocks.length, 0);
    const pages = u32Bytes(Math.ceil((count * COUNTER_BYTES) / PAGE_BYTES));
    changes.push(withEntries(module, SectionId.memories, [[1, ...pages, ...pages]]));
    exports.push(exported(coverage.memory, MEMORY_KIND, module.memories.length));
  }
  if (functions.length > 0) changes.push([SectionId.code, codeOf(module, functions, instruments)]);
  if (exports.length > 0) changes.push(withEntries(module, SectionId.exports, exports));
  const rewritten = rewrite(module, changes, functions.length > 0 ? isHint : undefined);
  return { ...rewritten, globals: state.map(({ name }) => name), fuel, coverage };
}

/** Counts fuel. */
export const meter = (module: WasmModule): Instrumented => instrument(module, { meter: true });

/** Counts how often each block runs, where the module cannot reach the counts. */
export const cover = (module: WasmModule): Instrumented => instrument(module, { cover: true });

/** A prefix that no export of the module has. */
function reservedPrefix({ exports }: WasmModule): string {
  let prefix = "weft.";
  while (exports.some(({ name }) => name.startsWith(prefix))) prefix = `weft.${prefix}`;
  return prefix;
}

function exported(name: string, kind: number, index: number): number[] {
  return [...nameBytes(name), kind, ...u32Bytes(index)];
}

/** Hints about code tell offsets into functions, which are others then. */
function isHint({ name }: Section): boolean {
  return name.startsWith("metadata.code.");
}

function codeOf(
  module: WasmModule,
  functions: readonly FunctionBlocks[],
  { meter, cover }: Instruments,
): Piece[] {
  const payments = meter ? planFuel(module, functions) : new Map<Block, Payment>();
  let counter = 0;
  const bodies = functions.flatMap(({ body, blocks }) => {
    const pieces: Piece[] = [];
    let from = body.locals;
    for (const block of blocks) {
      pieces.push({ from, to: block.at });
      from = block.at;
      if (cover) pieces.push(counted(module, counter++));
      const payment = payments.get(block);
      if (payment !== undefined) pieces.push(metered(module, payment));
    }
    pieces.push({ from, to: body.end });
    return [u32Bytes(lengthOf(pieces)), ...pieces];
  });
  return [u32Bytes(functions.length), ...bodies];
}

function metered({ globals }: WasmModule, { instructions, isChecked }: Payment): number[] {
  if (instructions === 0) return [];
  const fuel = u32Bytes(globals.length);
  const add = [
    ...[Op.globalGet, ...fuel, Op.i64Const, ...signedBytes(BigInt(instructions))],
    ...[Op.i64Add, Op.globalSet, ...fuel],
  ];
  if (!isChecked) return add;
  return [
    ...[...add, Op.globalGet, ...fuel, Op.i64Const, 0, Op.i64GreaterThan],
    ...[Op.if, NO_RESULT, Op.unreachable, Op.end],
  ];
}

function counted({ memories }: WasmModule, counter: number): number[] {
  const at = [
    COUNTER_ALIGNMENT,
    ...u32Bytes(memories.length),
    ...u32Bytes(counter * COUNTER_BYTES),
  ];
  return [
    ...[Op.i32Const, 0, Op.i32Const, 0, Op.i64Load, ...at, Op.i64Const, 1, Op.i64Add],
    ...[Op.i64Store, ...at],
  ];
}
