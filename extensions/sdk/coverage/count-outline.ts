import type {
  Outline,
  OutlinedBranch,
  OutlinedFunction,
  OutlinedStatement,
  Span,
} from "./outline.ts";

/** A place in a text whose code has run so often. */
export interface RunAt {
  readonly at: number;
  readonly runs: number;
}

/** What of an outline has come to code, or could have, and how often it ran. */
export interface CountedOutline {
  readonly statements: readonly (Span & { readonly runs: number })[];
  readonly functions: readonly (OutlinedFunction & { readonly runs: number })[];
  /** The runs are those of the ways. */
  readonly branches: readonly (OutlinedBranch & { readonly runs: readonly number[] })[];
}

/**
 * Puts runs to what stands at their places. A statement that came to no code is left out, but if
 * no code of its function is there at all, it has not run; so with functions and branches. A loop
 * without initializer counts by its condition, which is asked once more than there are turns.
 */
export function countOutline(outline: Outline, runs: readonly RunAt[]): CountedOutline {
  const counter = createCounter(outline, runs);
  const statements = outline.statements.map((span) => ({ span, runs: counter.statement(span) }));
  return {
    statements: statements.flatMap(({ span, runs }) => (runs === null ? [] : [{ ...span, runs }])),
    functions: outline.functions.flatMap((each) => {
      const counts = statements.filter(({ span }) => counter.functionAt(span.start) === each);
      // It was entered as often as the first of its statements that is there.
      const first = counts.find((one) => one.runs !== null);
      return first === undefined ? [] : [{ ...each, runs: first.runs ?? 0 }];
    }),
    branches: outline.branches.flatMap((branch) => {
      const ways = counter.ways(branch);
      return ways === null ? [] : [{ ...branch, runs: ways }];
    }),
  };
}

interface Counter {
  functionAt(at: number): OutlinedFunction | undefined;
  statement(statement: OutlinedStatement): number | null;
  ways(branch: OutlinedBranch): number[] | null;
}

function createCounter({ functions, statements }: Outline, unsorted: readonly RunAt[]): Counter {
  const runs = unsorted.toSorted((left, right) => left.at - right.at);
  const functionAt = (at: number) => innermost(functions, at);
  const compiled = new Set(runs.map(({ at }) => functionAt(at)));
  const byStatement = Map.groupBy(runs, ({ at }) => innermost(statements, at));
  /** What something without code has run: never, if nothing of its function is there. */
  const withoutCode = ({ start }: Span): number | null => {
    const around = functionAt(start);
    return around === undefined || compiled.has(around) ? null : 0;
  };
  const first = ({ start, end }: Span): number | undefined =>
    runs.find(({ at }) => at >= start && at < end)?.runs;
  const statement = (each: OutlinedStatement): number | null => {
    const begun = each.initializer === null ? undefined : first(each.initializer);
    const own = byStatement.get(each)?.map((run) => run.runs);
    return begun ?? (own === undefined ? withoutCode(each) : Math.max(...own));
  };
  const way = (span: Span): number | null => first(span) ?? withoutCode(span);
  return {
    functionAt,
    statement,
    ways: ({ kind, start, end, ways }) => {
      const around = statements.find((each) => each.start === start && each.end === end);
      const taken = ways.map((each) => (each === null ? null : way(each)));
      const [then = null] = taken;
      if (kind === "if" && ways[1] === null && around !== undefined) {
        const all = statement(around);
        return all === null || then === null ? null : [then, Math.max(0, all - then)];
      }
      const known = taken.filter((each) => each !== null);
      return known.length === ways.length ? known : null;
    },
  };
}

/** The last of those that begin before a place and end behind it. */
function innermost<S extends Span>(spans: readonly S[], at: number): S | undefined {
  let found: S | undefined;
  for (const span of spans) {
    if (span.start <= at && at < span.end && span.start >= (found?.start ?? 0)) found = span;
  }
  return found;
}
