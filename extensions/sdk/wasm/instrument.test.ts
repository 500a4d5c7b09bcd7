import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble, u32 } from "../../../test/conformance/proxy-wasm/assemble.ts";
import { Instance, type Memory, Module, type MutableGlobal } from "../host/webassembly.ts";
import { nameBytes } from "./encode.ts";
import { type Counters, instrument, readModule, type WasmModule } from "./index.ts";
import { eachInstruction, Op } from "./instructions.ts";
import { SectionId } from "./module.ts";
import { lengthOf, type Piece, rewrite, withEntries } from "./rewrite.ts";

/** Turns of loops and calls that a random program may take before each of its functions returns. */
const TURNS = 60;

/** Global 0 counts the turns down, global 1 takes in what the program does. */
const SPEND = [0x23, 0, 0x45, 0x04, 0x40, 0x0f, 0x0b, 0x23, 0, 0x41, 1, 0x6b, 0x24, 0];
const mix = (value: number) => [0x23, 1, 0x41, 31, 0x6c, 0x41, value, 0x6a, 0x24, 1];

/** A condition that depends on what was done so far. */
const condition = (value: number) => [0x23, 1, 0x41, value, 0x71];

const FUNCTIONS = 4;

/** The first of them are in a table too. */
const TABLED = 2;

/** Statements, as functions of how many labels there are around them. */
type Statement = (labels: number) => number[];

const { body } = fc.letrec<{ body: Statement; statement: Statement }>((tie) => {
  const value = fc.integer({ min: 0, max: 63 });
  const inside = tie("body");
  const jump = (opcode: number, make: (value: number) => number[]) =>
    value.map(
      (at): Statement =>
        (labels) => [...make(at), opcode, at % labels],
    );
  return {
    body: fc
      .array(tie("statement"), { maxLength: 4, depthIdentifier: "code" })
      .map((all) => (labels) => all.flatMap((each) => each(labels))),
    statement: fc.oneof(
      { depthIdentifier: "code", maxDepth: 5 },
      value.map(
        (each): Statement =>
          () =>
            mix(each),
      ),
      fc.constant<Statement>(() => [0x01]),
      jump(0x0d, condition),
      jump(0x0c, () => []),
      fc.tuple(value, value, value).map(
        ([on, first, second]): Statement =>
          (labels) => {
            return [...condition(on), 0x0e, 1, first % labels, second % labels];
          },
      ),
      fc.constant<Statement>(() => [0x0f]),
      value.map(
        (each): Statement =>
          () => [0x10, each % FUNCTIONS],
      ),
      value.map(
        (each): Statement =>
          () => [0x41, each % TABLED, 0x11, 0, 0],
      ),
      value.map(
        (each): Statement =>
          () => [0x12, each % FUNCTIONS],
      ),
      inside.map(
        (each): Statement =>
          (labels) => [0x02, 0x40, ...each(labels + 1), 0x0b],
      ),
      inside.map(
        (each): Statement =>
          (labels) => {
            return [0x03, 0x40, ...SPEND, ...each(labels + 1), 0x0b];
          },
      ),
      fc.tuple(value, inside).map(
        ([on, then]): Statement =>
          (labels) => {
            return [...condition(on), 0x04, 0x40, ...then(labels + 1), 0x0b];
          },
      ),
      fc.tuple(value, inside, inside).map(
        ([on, then, not]): Statement =>
          (labels) => {
            const [yes, no] = [then(labels + 1), not(labels + 1)];
            return [...condition(on), 0x04, 0x40, ...yes, 0x05, ...no, 0x0b];
          },
      ),
    ),
  };
});

const programs = fc.array(body, { minLength: FUNCTIONS, maxLength: FUNCTIONS }).map((bodies) =>
  assemble({
    imports: [],
    functions: bodies.map((each) => ({ type: "->", code: [...SPEND, ...each(1)] })),
    exports: [["run", 0]],
    ...{ memoryPages: 1, exportsMemory: true, globals: [TURNS, 1] },
    ...{ data: new Uint8Array(), dataAt: 0, table: [0, 1] },
  }),
);

/** Counts each instruction on its own in a global, which is all that there is to understand. */
function countEach(module: WasmModule): Uint8Array {
  const counter = u32(module.globals.length);
  const add = [0x23, ...counter, 0x42, 1, 0x7c, 0x24, ...counter];
  const bodies = module.functions.flatMap(({ body }) => {
    if (body === null) return [];
    const pieces: Piece[] = [{ from: body.locals, to: body.start }];
    const { wasm } = module;
    eachInstruction({ wasm, at: body.start, end: body.end }, ({ at, end, opcode }) => {
      const isMark = opcode === Op.else || opcode === Op.end;
      if (!isMark && opcode !== Op.loop) pieces.push(add);
      pieces.push({ from: at, to: end });
      if (opcode === Op.loop) pieces.push(add);
    });
    return [u32(lengthOf(pieces)), ...pieces];
  });
  const exported = [...nameBytes("count"), 3, ...counter];
  return rewrite(module, [
    withEntries(module, SectionId.globals, [[0x7e, 1, 0x42, 0, 0x0b]]),
    withEntries(module, SectionId.exports, [exported]),
    [SectionId.code, [u32(module.functions.length), ...bodies]],
  ]).wasm;
}

/** Runs a program, and answers its globals, or what it died of, and its instance. */
function run(wasm: Uint8Array, globals: readonly string[]) {
  const instance = new Instance(new Module(wasm), {});
  let end = "";
  try {
    (instance.exports["run"] as () => void)();
  } catch (error) {
    end = (error as Error).message;
  }
  const values = globals.map((name) => (instance.exports[name] as MutableGlobal).value);
  return { instance, outcome: [end, ...values] };
}

const globalOf = ({ exports }: Instance, name: string) =>
  (exports[name] as MutableGlobal<bigint>).value;

/** Instructions executed, by the counts of blocks. */
function executed({ exports }: Instance, { memory, functions }: Counters): bigint {
  const counts = new BigUint64Array((exports[memory] as Memory).buffer);
  const blocks = functions.flatMap((each) => each.blocks);
  return blocks.reduce((sum, block, i) => sum + (counts[i] ?? 0n) * BigInt(block.instructions), 0n);
}

test("fuel and the counts of blocks are what counting each instruction gives, of any program", () => {
  fc.assert(
    fc.property(programs, (wasm) => {
      const module = readModule(wasm);
      const plain = instrument(module);
      const both = instrument(module, { meter: true, cover: true });
      const alone = instrument(module, { meter: true });
      const { outcome } = run(plain.wasm, plain.globals);
      const counted = run(countEach(module), ["count"]);
      const observed = run(both.wasm, both.globals);
      const metered = run(alone.wasm, alone.globals);
      expect([observed.outcome, metered.outcome]).toEqual([outcome, outcome]);
      expect(outcome[0]).toBe("");
      const count = globalOf(counted.instance, "count");
      const fuel = globalOf(observed.instance, both.fuel ?? "") + 2n ** 63n;
      const { coverage } = both;
      expect({ fuel, blocks: coverage && executed(observed.instance, coverage) }).toEqual({
        fuel: count,
        blocks: count,
      });
      expect(globalOf(metered.instance, alone.fuel ?? "") + 2n ** 63n).toBe(count);
    }),
    { numRuns: 1_000 },
  );
});

test("a program ends with any limit, and by it alone if it takes more", () => {
  fc.assert(
    fc.property(programs, fc.bigInt({ min: 0n, max: 2_000n }), (wasm, limit) => {
      const { wasm: rewritten, fuel } = instrument(readModule(wasm), { meter: true });
      const instance = new Instance(new Module(rewritten), {});
      const global = instance.exports[fuel ?? ""] as MutableGlobal<bigint>;
      global.value = -limit;
      let hasTrapped = false;
      try {
        (instance.exports["run"] as () => void)();
      } catch {
        hasTrapped = true;
      }
      if (hasTrapped) expect(global.value).toBeGreaterThan(0n);
    }),
    { numRuns: 500 },
  );
});

test("offsets lead back to the instructions that were taken over", () => {
  fc.assert(
    fc.property(programs, (wasm) => {
      const { wasm: rewritten, offsets } = instrument(readModule(wasm), {
        meter: true,
        cover: true,
      });
      const at = (module: WasmModule) =>
        module.functions.flatMap(({ body }) => {
          const found: [at: number, opcode: number][] = [];
          const { wasm } = module;
          if (body === null) return found;
          eachInstruction({ wasm, at: body.start, end: body.end }, (instruction) => {
            found.push([instruction.at, instruction.opcode]);
          });
          return found;
        });
      const before = at(readModule(wasm));
      // Each instruction of the module as it was is met again, in order, under its old offset.
      const origins = at(readModule(rewritten)).map(([each, opcode]) => {
        return `${offsets.original(each)} ${opcode}`;
      });
      let next = 0;
      for (const each of origins) if (each === before[next]?.join(" ")) next++;
      expect(next).toBe(before.length);
    }),
    { numRuns: 200 },
  );
});

test("a function may have more blocks than a call takes arguments", () => {
  const count = 70_000;
  const code = Array.from({ length: count }, () => [0x41, 1, 0x04, 0x40, 0x01, 0x0b]).flat();
  const wasm = assemble({
    ...{ imports: [], functions: [{ type: "->", code }], exports: [["run", 0]], globals: [] },
    ...{ memoryPages: 1, exportsMemory: true, data: new Uint8Array(), dataAt: 0 },
  });
  const both = instrument(readModule(wasm), { meter: true, cover: true });
  const { instance } = run(both.wasm, []);
  const fuel = globalOf(instance, both.fuel ?? "") + 2n ** 63n;
  expect([fuel, both.coverage && executed(instance, both.coverage)]).toEqual([
    BigInt(3 * count),
    BigInt(3 * count),
  ]);
});

test("names that a module has are not taken from it", () => {
  const exports = [
    ["weft.fuel", 0],
    ["weft.weft.global.0", 0],
  ] as const;
  const wasm = assemble({
    ...{ imports: [], functions: [{ type: "->", code: [] }], exports, globals: [1] },
    ...{ memoryPages: 1, exportsMemory: true, data: new Uint8Array(), dataAt: 0 },
  });
  const { wasm: rewritten, globals, fuel } = instrument(readModule(wasm), { meter: true });
  expect([globals, fuel]).toEqual([["weft.weft.weft.global.0"], "weft.weft.weft.fuel"]);
  expect(Module.exports(new Module(rewritten)).map(({ name }) => name)).toEqual([
    ...["weft.fuel", "weft.weft.global.0", "memory"],
    ...["weft.weft.weft.global.0", "weft.weft.weft.fuel"],
  ]);
});
