import type { Block, FunctionBlocks } from "./blocks.ts";
import { callGraph, callOrder, openFunctions } from "./call-graph.ts";
import type { WasmModule } from "./module.ts";

/** What is added to the fuel before a block runs. */
export interface Payment {
  readonly instructions: number;
  /** Whether the limit is looked at here: running without end comes by again and again. */
  readonly isChecked: boolean;
}

/**
 * Instructions that callers pay for a function at most. Where each of some functions calls the
 * next one twice, it takes seventeen of them to get there, and sixty to run for years.
 */
const BEGINNING_MAX = 100_000;

/**
 * Where fuel is paid, so that all that runs to its end has paid for each instruction, once, and
 * seldom: a block pays for all that it leads and for how the functions begin that those call. So
 * what is sure to run is paid ahead, and only an instruction that traps leaves some of it undone.
 * Functions that are called from outside, through tables or recursively pay for themselves, and so
 * do those that begin with a great many.
 */
export function planFuel(
  module: WasmModule,
  functions: readonly FunctionBlocks[],
): ReadonlyMap<Block, Payment> {
  const { functions: order, recursive } = callOrder(callGraph(module, functions));
  const open = openFunctions(module, functions);
  const byIndex = new Map(functions.map((each) => [each.index, each]));
  const payments = new Map<Block, Payment>();
  /** What the callers of a function pay for it. */
  const beginnings = new Map<number, number>();
  for (const index of order) {
    const blocks = byIndex.get(index)?.blocks ?? [];
    for (const [leader, led] of Map.groupBy(blocks, (block) => block.leader)) {
      const isEntry = leader === blocks[0];
      const instructions = led.reduce((sum, block) => sum + costOf(block, beginnings), 0);
      const isEndless = recursive.has(index) || instructions > BEGINNING_MAX;
      if (isEntry && !isEndless && !open.has(index)) beginnings.set(index, instructions);
      else {
        const isChecked = leader.isLoop || (isEntry && isEndless);
        payments.set(leader, { instructions, isChecked });
      }
    }
  }
  return payments;
}

function costOf({ instructions, calls }: Block, beginnings: ReadonlyMap<number, number>): number {
  const called = calls.map((call) => ("callee" in call ? (beginnings.get(call.callee) ?? 0) : 0));
  return called.reduce((sum, each) => sum + each, instructions);
}
