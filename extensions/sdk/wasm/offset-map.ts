/** Leads from the bytes of a rewritten module to those of the module it was made of. */
export interface OffsetMap {
  /** Where the byte there was; of what was added, where what follows it was. */
  original(offset: number): number;
}

/** Bytes that were taken over as they were. */
export interface Run {
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

/** The map of a module that was not rewritten. */
export const SAME_OFFSETS: OffsetMap = { original: (offset) => offset };

/** The runs come in order, and do not overlap. */
export function offsetMap(runs: readonly Run[]): OffsetMap {
  return {
    original: (offset) => {
      let [low, high] = [0, runs.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        const { at = 0, length = 0 } = runs[middle] ?? {};
        if (at + length <= offset) low = middle + 1;
        else high = middle;
      }
      const run = runs[low];
      // Behind the last run lies what was added at the end.
      if (run === undefined) return endOf(runs.at(-1));
      return run.from + Math.max(0, offset - run.at);
    },
  };
}

const endOf = (run: Run | undefined) => (run === undefined ? 0 : run.from + run.length);
