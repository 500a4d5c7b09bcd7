import type { FunctionBlocks } from "./blocks.ts";

/** How often the code of a module has run. */
export interface Coverage {
  readonly functions: readonly FunctionBlocks[];
  /** Of each function, the runs of its blocks. */
  readonly runs: readonly (readonly number[])[];
}

/** The counts of an instrumented module's memory, block by block. */
export function readCounters(
  functions: readonly FunctionBlocks[],
  counters: BigUint64Array,
): Coverage {
  let next = 0;
  const runs = functions.map(({ blocks }) => blocks.map(() => Number(counters[next++] ?? 0n)));
  return { functions, runs };
}
