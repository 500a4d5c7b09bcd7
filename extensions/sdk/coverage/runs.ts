import type { Place, SourceMap } from "../host/source-map.ts";
import type { Coverage, FunctionBlocks } from "../wasm/index.ts";

/** A place in a source whose code has run so often. */
export interface Run {
  /** Both from 0. */
  readonly line: number;
  readonly column: number;
  readonly runs: number;
}

/** The sum of what several VMs of one module have run. */
export function sumCoverage([first, ...others]: readonly Coverage[]): Coverage | null {
  if (first === undefined) return null;
  const runs = first.runs.map((counts, at) =>
    counts.map((count, i) => others.reduce((sum, each) => sum + (each.runs[at]?.[i] ?? 0), count)),
  );
  return { functions: first.functions, runs };
}

/**
 * How often the places of each source have run, by the number of the source. Of the code that one
 * place has become in a function, what ran most counts; functions that a source became several
 * times, generic or inlined, add up.
 */
export function runsBySource(
  { functions, runs }: Coverage,
  { places }: SourceMap,
): ReadonlyMap<number, readonly Run[]> {
  const sums = new Map<number, Map<string, Run>>();
  functions.forEach((each, at) => {
    for (const [key, { source, run }] of runsOf(each, runs[at] ?? [], places)) {
      const ofSource = sums.get(source) ?? new Map<string, Run>();
      sums.set(source, ofSource);
      ofSource.set(key, { ...run, runs: run.runs + (ofSource.get(key)?.runs ?? 0) });
    }
  });
  return new Map([...sums].map(([source, all]) => [source, [...all.values()]]));
}

type Counted = Map<string, { readonly source: number; readonly run: Run }>;

/** How often the places of one function have run, inlined ones included. */
function runsOf(
  { blocks }: FunctionBlocks,
  counts: readonly number[],
  places: readonly Place[],
): Counted {
  const found: Counted = new Map();
  blocks.forEach(({ at, end }, i) => {
    const runs = counts[i] ?? 0;
    // The first place may have begun before the block.
    for (let next = placeAt(places, at); (places[next]?.offset ?? end) < end; next++) {
      const { source, line, column } = places[next] as Place;
      if (source === null) continue;
      const key = `${source}:${line}:${column}`;
      const most = Math.max(runs, found.get(key)?.run.runs ?? 0);
      found.set(key, { source, run: { line, column, runs: most } });
    }
  });
  return found;
}

/** The number of the last place that begins at a byte or before it. */
function placeAt(places: readonly Place[], offset: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
