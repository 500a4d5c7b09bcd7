import { WasmError } from "./cursor.ts";
import { eachInstruction, type Instruction, Op } from "./instructions.ts";
import type { Body, WasmModule } from "./module.ts";

/**
 * Instructions that run one after the other, all of them or none, unless one traps. Structure that
 * nothing jumps to does not end a block, so it may reach beyond the ends of what it opens.
 */
export interface Block {
  /** Bytes into the module: before its first instruction; of a loop, behind the `loop`. */
  readonly at: number;
  /** Behind its last instruction. Code that is never reached may lie in between. */
  readonly end: number;
  /** `else` and `end` only mark places, and are none. A `loop` is one on each turn. */
  readonly instructions: number;
  /**
   * The first block that runs exactly as often, unless an instruction in between traps or runs for
   * ever: itself, or one before a condition or a loop that comes back to here whatever happens.
   */
  readonly leader: Block;
  /** Whether each turn of a loop begins here. */
  readonly isLoop: boolean;
  /** What it calls, in order. */
  readonly calls: readonly Call[];
}

/** A call of a function by its number, or of any of a type in a table. */
export type Call = { readonly callee: number } | { readonly table: number; readonly type: number };

export interface FunctionBlocks {
  /** The function's number. */
  readonly index: number;
  readonly body: Body;
  readonly blocks: readonly Block[];
  /** Functions whose references it makes, which may be called from anywhere then. */
  readonly references: readonly number[];
}

interface Draft extends Omit<Block, "leader" | "calls"> {
  end: number;
  instructions: number;
  isLoop: boolean;
  readonly calls: Call[];
  leader: Draft;
}

interface Frame {
  readonly kind: "function" | "block" | "loop" | "if" | "else";
  /** The block that leads into it; null if it is never entered. */
  readonly entry: Draft | null;
  /** Whether its end is reached otherwise than by running up to it. */
  isTarget: boolean;
  /** Whether something in it jumps beyond its end, or returns. */
  isLeft: boolean;
}

/** How far a function has been read. */
interface Walk {
  readonly frames: Frame[];
  readonly blocks: Draft[];
  readonly references: number[];
  /** The block that goes on; null in code that is never reached. */
  current: Draft | null;
}

/** The blocks of all functions that a module defines. */
export function blocksOf(module: WasmModule): FunctionBlocks[] {
  return module.functions.flatMap(({ body }, index) =>
    body === null ? [] : [{ index, body, ...split(module, body) }],
  );
}

function split(module: WasmModule, body: Body): Omit<FunctionBlocks, "index" | "body"> {
  const walk: Walk = { frames: [], blocks: [], references: [], current: null };
  begin(walk, body.start);
  open(walk, "function");
  eachInstruction({ wasm: module.wasm, at: body.start, end: body.end }, (instruction) => {
    if (walk.frames.length === 0) throw new WasmError("code behind a function", instruction.at);
    step(walk, instruction);
  });
  if (walk.frames.length > 0) throw new WasmError("a function without its end", body.end);
  // The blocks come in order, so that each finds its leader settled.
  for (const block of walk.blocks) block.leader = block.leader.leader;
  // What holds nothing is of use only where it leads.
  const leaders = new Set(walk.blocks.map(({ leader }) => leader));
  const blocks = walk.blocks.filter((block) => block.instructions > 0 || leaders.has(block));
  return { blocks, references: walk.references };
}

function step(walk: Walk, instruction: Instruction): void {
  const { opcode, end } = instruction;
  switch (opcode) {
    case Op.block:
      count(walk, end);
      open(walk, "block");
      return;
    case Op.loop:
      open(walk, "loop");
      if (walk.current === null) return;
      begin(walk, end).isLoop = true;
      count(walk, end);
      return;
    case Op.if:
      count(walk, end);
      open(walk, "if");
      fork(walk, end);
      return;
    case Op.else:
      turn(walk, instruction);
      return;
    case Op.end:
      close(walk, instruction);
      return;
    case Op.brIf:
      count(walk, end);
      jump(walk, instruction);
      fork(walk, end);
      return;
    case Op.br:
    case Op.brTable:
      count(walk, end);
      jump(walk, instruction);
      walk.current = null;
      return;
    case Op.returnCall:
    case Op.returnCallIndirect:
      count(walk, end);
      call(walk, instruction);
      leave(walk);
      return;
    case Op.return:
      count(walk, end);
      leave(walk);
      return;
    case Op.unreachable:
      count(walk, end);
      walk.current = null;
      return;
    case Op.call:
    case Op.callIndirect:
      count(walk, end);
      call(walk, instruction);
      return;
    case Op.refFunc:
      count(walk, end);
      walk.references.push(...instruction.operands);
      return;
    default:
      count(walk, end);
  }
}

function begin(walk: Walk, at: number, leader?: Draft | null): Draft {
  const block = { at, end: at, instructions: 0, isLoop: false, calls: [] as Call[] } as Draft;
  block.leader = leader ?? block;
  walk.blocks.push(block);
  walk.current = block;
  return block;
}

function count({ current }: Walk, end: number): void {
  if (current === null) return;
  current.instructions++;
  current.end = end;
}

function call({ current }: Walk, { opcode, operands }: Instruction): void {
  const [first = 0, table = 0] = operands;
  const isDirect = opcode === Op.call || opcode === Op.returnCall;
  current?.calls.push(isDirect ? { callee: first } : { table, type: first });
}

function open({ frames, current }: Walk, kind: Frame["kind"]): void {
  frames.push({ kind, entry: current, isTarget: false, isLeft: false });
}

function jump({ frames, current }: Walk, { at, operands }: Instruction): void {
  for (const label of operands) {
    const frame = frames.at(-1 - label);
    if (frame === undefined) throw new WasmError(`label ${label} of ${frames.length}`, at);
    if (current === null) continue;
    // The label of a loop is where it begins.
    if (frame.kind !== "loop") frame.isTarget = true;
    if (label > 0) for (const inner of frames.slice(-label)) inner.isLeft = true;
  }
}

function leave(walk: Walk): void {
  if (walk.current !== null) for (const frame of walk.frames) frame.isLeft = true;
  walk.current = null;
}

/** What follows a condition runs in one case only. */
function fork(walk: Walk, end: number): void {
  if (walk.current !== null) begin(walk, end);
}

function turn(walk: Walk, { at, end }: Instruction): void {
  const frame = walk.frames.pop();
  if (frame?.kind !== "if") throw new WasmError("else without if", at);
  frame.isTarget ||= walk.current !== null;
  walk.frames.push({ ...frame, kind: "else" });
  if (frame.entry !== null) begin(walk, end);
}

function close(walk: Walk, { end }: Instruction): void {
  const frame = walk.frames.pop();
  if (frame === undefined || frame.kind === "function" || frame.entry === null) return;
  const leader = frame.isLeft ? null : frame.entry;
  // A condition that does not hold leads behind an `if` without `else`.
  if (frame.kind === "if" || frame.isTarget) begin(walk, end, leader);
  // What ends a loop runs as often as what leads into it.
  else if (frame.kind === "loop" && walk.current !== null && leader !== null) {
    walk.current.leader = leader;
  }
}
