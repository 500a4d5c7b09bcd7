import { byte, type Cursor, entries, isAtEnd, signed, skip, u32, WasmError } from "./cursor.ts";

/** An instruction in the body of a function, or in a constant expression. */
export interface Instruction {
  /** Where it begins and ends, in bytes into the module. */
  readonly at: number;
  readonly end: number;
  /** Its byte; of those with a prefix, the prefix times 0x10000 and what follows it. */
  readonly opcode: number;
  /** The numbers of what it refers to, as they come; of `br_table` the labels, the default last. */
  readonly operands: readonly number[];
}

/** The instructions that steer, or that somebody asks for by name. */
export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  globalGet: 0x23,
  globalSet: 0x24,
  i64Load: 0x29,
  i64Store: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  i64GreaterThan: 0x55,
  i64Add: 0x7c,
  refFunc: 0xd2,
} as const;

const PREFIX_SCALE = 0x1_0000;

const NO_OPERANDS: readonly number[] = [];

/** Bit 6 of a memory argument's alignment: the memory is told too. */
const HAS_MEMORY = 0x40;

/**
 * What follows the opcodes from one to another, by letters: n an unsigned number, k a block's
 * type, l labels, t value types, m a memory argument, b one byte, r a reference type, i and I
 * constants of 32 and 64 bits; a digit stands for so many times 4 bytes. `-` is nothing. What is
 * in no line does not exist, or belongs to a proposal that proxies do not have.
 */
const IMMEDIATES = `
00 01 -
02 04 k
05 05 -
0b 0b -
0c 0d n
0e 0e l
0f 0f -
10 10 n
11 11 nn
12 12 n
13 13 nn
1a 1b -
1c 1c t
20 26 n
28 3e m
3f 40 n
41 41 i
42 42 I
43 43 1
44 44 2
45 c4 -
d0 d0 r
d1 d1 -
d2 d2 n
fc0000 fc0007 -
fc0008 fc0008 nn
fc0009 fc0009 n
fc000a fc000a nn
fc000b fc000b n
fc000c fc000c nn
fc000d fc000d n
fc000e fc000e nn
fc000f fc0011 n
fd0000 fd000b m
fd000c fd000d 4
fd000e fd0014 -
fd0015 fd0022 b
fd0023 fd0053 -
fd0054 fd005b mb
fd005c fd005d m
fd005e fd0099 -
fd009b fd00a1 -
fd00a3 fd00a4 -
fd00a7 fd00ae -
fd00b1 fd00b1 -
fd00b5 fd00ba -
fd00bc fd00c1 -
fd00c3 fd00c4 -
fd00c7 fd00ce -
fd00d1 fd00d1 -
fd00d5 fd00e1 -
fd00e3 fd00ed -
fd00ef fd00ff -
fd0100 fd0113 -`;

const SIGNS: ReadonlyMap<number, string> = new Map(
  IMMEDIATES.trim()
    .split("\n")
    .flatMap((line) => {
      const [from = "", to = "", signs = ""] = line.split(" ");
      const first = Number.parseInt(from, 16);
      const length = Number.parseInt(to, 16) - first + 1;
      return Array.from({ length }, (_, i) => [first + i, signs.replace("-", "")] as const);
    }),
);

/** Reads one instruction. Throws WasmError where the opcode is not known. */
export function readInstruction(cursor: Cursor): Instruction {
  const { at } = cursor;
  const first = byte(cursor);
  const opcode = first === 0xfc || first === 0xfd ? first * PREFIX_SCALE + u32(cursor) : first;
  const signs = SIGNS.get(opcode);
  if (signs === undefined) throw new WasmError(`unknown instruction ${nameOf(opcode)}`, at);
  if (signs === "") return { at, end: cursor.at, opcode, operands: NO_OPERANDS };
  let operands: number[] = [];
  for (const sign of signs) {
    if (sign === "n") operands.push(u32(cursor));
    else if (sign === "l") operands = [...entries(cursor, u32), u32(cursor)];
    else passOver(cursor, sign);
  }
  return { at, end: cursor.at, opcode, operands };
}

/** Calls back for each instruction there. */
export function eachInstruction(cursor: Cursor, visit: (instruction: Instruction) => void): void {
  while (!isAtEnd(cursor)) visit(readInstruction(cursor));
}

/** Passes over an immediate that refers to nothing. */
function passOver(cursor: Cursor, sign: string): void {
  switch (sign) {
    case "k":
      signed(cursor, 33);
      break;
    case "t":
      entries(cursor, byte);
      break;
    case "m":
      if ((u32(cursor) & HAS_MEMORY) !== 0) u32(cursor);
      u32(cursor);
      break;
    case "b":
    case "r":
      byte(cursor);
      break;
    case "i":
      signed(cursor, 32);
      break;
    case "I":
      signed(cursor, 64);
      break;
    default:
      skip(cursor, 4 * Number(sign));
  }
}

function nameOf(opcode: number): string {
  const [prefix, rest] = [Math.floor(opcode / PREFIX_SCALE), opcode % PREFIX_SCALE];
  const hex = (value: number) => `0x${value.toString(16).padStart(2, "0")}`;
  return prefix === 0 ? hex(opcode) : `${hex(prefix)} ${hex(rest)}`;
}
