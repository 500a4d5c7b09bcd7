import { expect, test } from "vitest";
import { assemble, type FunctionSpec } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { Instance, Module, type MutableGlobal } from "../host/webassembly.ts";
import { meter, readModule } from "./index.ts";

// Instructions, as the WebAssembly specification numbers them.
const [UNREACHABLE, NOP, BLOCK, LOOP, IF, ELSE, END] = [0, 1, 2, 3, 4, 5, 0x0b];
const [BR, BR_IF, BR_TABLE, RETURN, CALL, INDIRECT] = [0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11];
const [TAIL_CALL, TAIL_INDIRECT, DROP, ADD, SUB] = [0x12, 0x13, 0x1a, 0x6a, 0x6b];
const [VOID, I32] = [0x40, 0x7f];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const i32 = (value: number) => [0x41, value];

type Called = (...words: number[]) => number;

/** Runs the first of some functions, plain and metered; the table holds those that are told. */
function moduleOf(functions: readonly FunctionSpec[], table?: readonly number[]) {
  const wasm = assemble({
    imports: [],
    functions,
    exports: [["run", 0]],
    ...(table === undefined ? {} : { table }),
    ...{ memoryPages: 1, exportsMemory: true, globals: [], data: new Uint8Array(), dataAt: 0 },
  });
  const counting = meter(readModule(wasm));
  const metered = new Instance(new Module(counting.wasm), {});
  const fuel = metered.exports[counting.fuel ?? ""] as MutableGlobal<bigint>;
  const call = ({ exports }: Instance, argument: number): number | string => {
    try {
      return (exports["run"] as Called)(argument);
    } catch (error) {
      return (error as Error).message;
    }
  };
  return {
    plain: (argument: number) => call(new Instance(new Module(wasm), {}), argument),
    /** Its answer, and the fuel that it has used of so much. */
    metered: (argument: number, limit = 10_000_000n) => {
      fuel.value = -limit;
      return [call(metered, argument), Number(fuel.value + limit)];
    },
  };
}

const one = (code: readonly number[]): FunctionSpec[] => [{ type: "i32 -> i32", code, locals: 1 }];
const down = [...get(0), ...i32(1), SUB, ...tee(0)];

interface Case {
  readonly what: string;
  readonly functions: readonly FunctionSpec[];
  readonly table?: readonly number[];
  /** Argument, answer, and fuel as counted by hand. */
  readonly runs: readonly (readonly [argument: number, answer: number | string, fuel: number])[];
}

/** Functions of which each calls the next one twice: the first runs 2 ** count times as long. */
const doubling = (count: number): FunctionSpec[] =>
  Array.from({ length: count }, (_, i) => {
    const next = i + 1 < count ? [CALL, i + 1, CALL, i + 1] : [];
    return i === 0
      ? { type: "i32 -> i32", code: [...next, ...get(0)] }
      : { type: "->", code: next };
  });

const cases: readonly Case[] = [
  { what: "nothing but a local", functions: one(get(0)), runs: [[5, 5, 1]] },
  { what: "a sum", functions: one([...get(0), ...i32(2), ADD]), runs: [[5, 7, 3]] },
  {
    what: "a block that is run through: block, nop, get",
    functions: one([BLOCK, VOID, NOP, END, ...get(0)]),
    runs: [[5, 5, 3]],
  },
  {
    what: "a block that is left: block, br, get, and what is behind br is dead",
    functions: one([BLOCK, VOID, BR, 0, NOP, NOP, END, ...get(0)]),
    runs: [[5, 5, 3]],
  },
  {
    what: "dead code with structure of its own",
    functions: one([
      ...[BLOCK, VOID, BR, 0, LOOP, VOID, BR, 0, END, BLOCK, VOID, NOP, END, NOP, END],
      ...get(0),
    ]),
    runs: [[5, 5, 3]],
  },
  {
    what: "a block with a condition to leave: block, get, br_if, then two nops or none, get",
    functions: one([BLOCK, VOID, ...get(0), BR_IF, 0, NOP, NOP, END, ...get(0)]),
    runs: [
      [0, 0, 6],
      [1, 1, 4],
    ],
  },
  {
    what: "a block that answers: block, const, get, br_if, then drop and const",
    functions: one([BLOCK, I32, ...i32(7), ...get(0), BR_IF, 0, DROP, ...i32(9), END]),
    runs: [
      [0, 9, 6],
      [1, 7, 4],
    ],
  },
  {
    what: "a loop: loop, get, const, sub, tee, br_if on each turn, get at the end",
    functions: one([LOOP, VOID, ...down, BR_IF, 0, END, ...get(0)]),
    runs: [
      [1, 0, 7],
      [3, 0, 19],
    ],
  },
  {
    what: "a loop that is not turned",
    functions: one([LOOP, VOID, NOP, END, ...get(0)]),
    runs: [[5, 5, 3]],
  },
  {
    what: "a loop with its exit at the top: block; loop, get, eqz, br_if; get, const, sub, set, br",
    functions: one([
      ...[BLOCK, VOID, LOOP, VOID, ...get(0), 0x45, BR_IF, 1],
      ...[...get(0), ...i32(1), SUB, ...set(0), BR, 0, END, END, ...get(0)],
    ]),
    runs: [
      [0, 0, 6],
      [2, 0, 24],
    ],
  },
  {
    what: "a loop in a loop: outer 2 + 5, inner 6 on each of two turns",
    functions: one([
      ...[LOOP, VOID, ...i32(2), ...set(1)],
      ...[LOOP, VOID, ...get(1), ...i32(1), SUB, ...tee(1), BR_IF, 0, END],
      ...[...down, BR_IF, 0, END, ...get(0)],
    ]),
    runs: [
      [1, 0, 3 + 12 + 5 + 1],
      [2, 0, 2 * (3 + 12 + 5) + 1],
    ],
  },
  {
    what: "a loop that is left from within: get, return",
    functions: one([
      ...[LOOP, VOID, ...down, ...i32(5), 0x46, IF, VOID, ...i32(50), RETURN, END],
      ...[...get(0), BR_IF, 0, END, ...get(0)],
    ]),
    runs: [
      // Each turn: loop, four to go down, const, eq, if; then get, br_if, and get at the end.
      [2, 0, 2 * 10 + 1],
      [7, 50, 10 + 8 + 2],
    ],
  },
  {
    what: "if without else: get, if, a nop or none, get",
    functions: one([...get(0), IF, VOID, NOP, END, ...get(0)]),
    runs: [
      [0, 0, 3],
      [1, 1, 4],
    ],
  },
  {
    what: "if and else: get, if, then one const or two and a sum",
    functions: one([...get(0), IF, I32, ...i32(1), ELSE, ...i32(2), ...i32(3), ADD, END]),
    runs: [
      [0, 5, 5],
      [1, 1, 3],
    ],
  },
  {
    what: "if and else that both leave, and dead code behind them",
    functions: one([
      ...[...get(0), IF, VOID, ...i32(1), RETURN, ELSE, NOP, ...i32(2), RETURN, END],
      ...[NOP, UNREACHABLE],
    ]),
    runs: [
      [0, 2, 5],
      [1, 1, 4],
    ],
  },
  {
    what: "an if that its own arms jump out of",
    functions: one([
      ...[
        ...get(0),
        IF,
        VOID,
        ...get(0),
        ...i32(1),
        SUB,
        BR_IF,
        0,
        NOP,
        ELSE,
        NOP,
        NOP,
        BR,
        0,
        END,
      ],
      ...get(0),
    ]),
    runs: [
      [0, 0, 2 + 3 + 1],
      [1, 1, 2 + 5 + 1],
      [2, 2, 2 + 4 + 1],
    ],
  },
  {
    what: "br_table: three blocks, get, br_table; then 3, 2 or 1 nops, get",
    functions: one([
      ...[BLOCK, VOID, BLOCK, VOID, BLOCK, VOID, ...get(0), BR_TABLE, 2, 0, 1, 2, END],
      ...[NOP, END, NOP, END, NOP, ...get(0)],
    ]),
    runs: [
      [0, 0, 5 + 3 + 1],
      [1, 1, 5 + 2 + 1],
      [2, 2, 5 + 1 + 1],
      [9, 9, 5 + 1 + 1],
    ],
  },
  {
    what: "br_table that turns a loop: loop, down, br_table",
    functions: one([...[BLOCK, VOID, LOOP, VOID, ...down, BR_TABLE, 1, 1, 0, END, END, ...get(0)]]),
    runs: [[3, 0, 1 + 3 * 6 + 1]],
  },
  {
    what: "return: get, return",
    functions: one([...get(0), RETURN, NOP]),
    runs: [[5, 5, 2]],
  },
  {
    what: "a jump out of the function",
    functions: one([BLOCK, VOID, ...get(0), ...get(0), BR_IF, 1, DROP, END, ...i32(3)]),
    runs: [
      [0, 3, 6],
      [4, 4, 4],
    ],
  },
  {
    what: "unreachable, which is one itself",
    functions: one([...get(0), IF, VOID, NOP, UNREACHABLE, END, ...get(0)]),
    runs: [[0, 0, 3]],
  },
  {
    what: "a call: call and its three, drop, get",
    functions: [
      { type: "i32 -> i32", code: [...get(0), CALL, 1, DROP, ...get(0)] },
      { type: "i32 -> i32", code: [...get(0), ...i32(1), ADD] },
    ],
    runs: [[5, 5, 2 + 3 + 2]],
  },
  {
    what: "calls on one way only",
    functions: [
      { type: "i32 -> i32", code: [...get(0), IF, VOID, CALL, 1, CALL, 1, END, ...get(0)] },
      { type: "->", code: [NOP, CALL, 2] },
      { type: "->", code: [NOP, NOP] },
    ],
    runs: [
      [0, 0, 3],
      [1, 1, 3 + 2 * (1 + 2 + 2)],
    ],
  },
  {
    what: "recursion: get, if; get, get, const, sub, call, add; else get",
    functions: one([
      ...[...get(0), IF, I32, ...get(0), ...get(0), ...i32(1), SUB, CALL, 0, ADD],
      ...[ELSE, ...get(0), END],
    ]),
    runs: [
      [0, 0, 3],
      [3, 6, 3 * 8 + 3],
    ],
  },
  {
    what: "recursion by way of another",
    functions: [
      { type: "i32 -> i32", code: [...get(0), IF, I32, ...get(0), CALL, 1, ELSE, ...i32(9), END] },
      { type: "i32 -> i32", code: [...get(0), ...i32(1), SUB, CALL, 0] },
    ],
    runs: [[2, 9, 2 * (4 + 4) + 3]],
  },
  {
    what: "recursion that nobody outside calls: get, call; get, if, get, const, sub, call, else 9",
    functions: [
      { type: "i32 -> i32", code: [...get(0), CALL, 1] },
      { type: "i32 -> i32", code: [...get(0), CALL, 2] },
      {
        type: "i32 -> i32",
        code: [...get(0), IF, I32, ...get(0), ...i32(1), SUB, CALL, 1, ELSE, ...i32(9), END],
      },
    ],
    runs: [
      [0, 9, 2 + 2 + 3],
      [2, 9, 2 + 3 * 2 + 2 * 6 + 3],
    ],
  },
  {
    what: "a chain of twenty functions that each call the next one twice",
    functions: doubling(20),
    runs: [[5, 5, 2 ** 20 - 2 + 1]],
  },
  {
    what: "a call through the table: get, const, call_indirect and its one",
    functions: [
      { type: "i32 -> i32", code: [...get(0), ...i32(1), INDIRECT, 0, 0] },
      { type: "i32 -> i32", code: [...get(0)] },
    ],
    table: [0, 1],
    runs: [[5, 5, 4]],
  },
  {
    what: "tail calls: get, if, get, const, sub, return_call on each turn",
    functions: one([
      ...[...get(0), IF, VOID, ...get(0), ...i32(1), SUB, TAIL_CALL, 0, END, ...i32(7)],
    ]),
    runs: [[3, 7, 3 * 6 + 3]],
  },
  {
    what: "tail calls through the table",
    functions: [
      { type: "i32 -> i32", code: [...get(0), ...i32(1), TAIL_INDIRECT, 0, 0] },
      { type: "i32 -> i32", code: [...get(0), TAIL_CALL, 2] },
      { type: "i32 -> i32", code: [NOP, ...get(0)] },
    ],
    table: [0, 1],
    runs: [[5, 5, 3 + 2 + 2]],
  },
];

test.each(cases)("fuel of $what", ({ functions, table, runs }) => {
  const { plain, metered } = moduleOf(functions, table);
  for (const [argument, answer, fuel] of runs) {
    expect([argument, plain(argument)]).toEqual([argument, answer]);
    expect([argument, ...metered(argument)]).toEqual([argument, answer, fuel]);
  }
});

test("what traps has paid for all that is sure to run but for a trap, and for itself", () => {
  const { metered } = moduleOf(
    one([...get(0), IF, VOID, NOP, UNREACHABLE, NOP, END, NOP, ...get(0)]),
  );
  // Get and if, nop and unreachable; but nop and get behind the condition as well.
  expect(metered(1)).toEqual(["unreachable", 4 + 2]);
});

test.each([
  ["a loop without end", one([LOOP, VOID, BR, 0, END, UNREACHABLE]), 2],
  ["recursion without end", one([...get(0), TAIL_CALL, 0]), 2],
  [
    "recursion that is deep and so wide that it does not end",
    one([
      ...[...get(0), IF, VOID, ...get(0), ...i32(1), SUB, CALL, 0, DROP],
      ...[...get(0), ...i32(1), SUB, CALL, 0, DROP, END, ...get(0)],
    ]),
    13,
  ],
  ["a chain of sixty functions that each call the next one twice", doubling(60), 200_000],
])("%s ends at the limit, at the same place each time", (_, functions, stepMax) => {
  const { metered } = moduleOf(functions);
  const [message, fuel = 0] = metered(100, 10_000n);
  expect([message, metered(100, 10_000n)]).toEqual(["unreachable", [message, fuel]]);
  expect(fuel).toBeGreaterThan(10_000);
  expect(fuel).toBeLessThanOrEqual(10_000 + stepMax);
});
