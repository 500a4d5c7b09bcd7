import { relative } from "node:path";
import type { FileCoverage, Istanbul } from "./istanbul.ts";

/** What there is, and what of it has run. */
export interface Share {
  readonly run: number;
  readonly all: number;
}

/** What of a file has run, to be read by people. */
export interface CoverageRow {
  /** As the plugin's folder has it: "assembly/index.ts". */
  readonly file: string;
  readonly statements: Share;
  readonly branches: Share;
  readonly functions: Share;
  /** Those on which a statement begins. */
  readonly lines: Share;
  /** Lines that have not run. */
  readonly missed: readonly number[];
  /** Lines that have, but not all that begins on them, or not each way that they offer. */
  readonly partly: readonly number[];
}

export function coverageRows(istanbul: Istanbul, folder: string): CoverageRow[] {
  return Object.values(istanbul).map((file) => rowOf(file, relative(folder, file.path)));
}

/** The sum of rows under a name of its own. */
export function sumOfRows(file: string, rows: readonly CoverageRow[]): CoverageRow {
  const sum = (shareOf: (row: CoverageRow) => Share): Share => ({
    run: rows.reduce((total, row) => total + shareOf(row).run, 0),
    all: rows.reduce((total, row) => total + shareOf(row).all, 0),
  });
  return {
    file,
    statements: sum(({ statements }) => statements),
    branches: sum(({ branches }) => branches),
    functions: sum(({ functions }) => functions),
    lines: sum(({ lines }) => lines),
    missed: [],
    partly: [],
  };
}

function rowOf({ statementMap, branchMap, s, b, f }: FileCoverage, file: string): CoverageRow {
  /** The most that a statement which begins on the line has run. */
  const lines = new Map<number, number>();
  for (const [key, { start }] of Object.entries(statementMap)) {
    lines.set(start.line, Math.max(s[key] ?? 0, lines.get(start.line) ?? 0));
  }
  const missed = [...lines].filter(([, runs]) => runs === 0).map(([line]) => line);
  const notRun = [
    ...Object.keys(s).flatMap((key) => (s[key] === 0 ? [statementMap[key]] : [])),
    ...Object.entries(branchMap).flatMap(([key, { locations }]) =>
      locations.filter((_, way) => b[key]?.[way] === 0),
    ),
  ].flatMap((location) => location?.start.line ?? []);
  return {
    file,
    statements: shareOf(Object.values(s)),
    branches: shareOf(Object.values(b).flat()),
    functions: shareOf(Object.values(f)),
    lines: shareOf([...lines.values()]),
    missed: missed.sort((left, right) => left - right),
    partly: [...new Set(notRun)]
      .filter((line) => !missed.includes(line))
      .sort((left, right) => left - right),
  };
}

function shareOf(counts: readonly number[]): Share {
  return { run: counts.filter((count) => count > 0).length, all: counts.length };
}
