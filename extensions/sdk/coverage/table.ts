import { relative } from "node:path";
import type { FileCoverage, Istanbul } from "./istanbul.ts";

/** What there is, and what of it has run. */
interface Share {
  readonly covered: number;
  readonly all: number;
}

interface Row {
  readonly name: string;
  /** Of statements, branches, functions and lines. */
  readonly shares: readonly Share[];
  readonly uncovered: readonly number[];
}

const HEADINGS = ["file", "statements", "branches", "functions", "lines", "uncovered lines"];

/** A table of the shares of each file, the whole last. */
export function coverageTable(istanbul: Istanbul, folder: string): string {
  const rows = Object.values(istanbul).map((file) => rowOf(file, relative(folder, file.path)));
  const shares = [0, 1, 2, 3].map((at) => ({
    covered: rows.reduce((sum, row) => sum + (row.shares[at]?.covered ?? 0), 0),
    all: rows.reduce((sum, row) => sum + (row.shares[at]?.all ?? 0), 0),
  }));
  const whole: Row = { name: "all files", shares, uncovered: [] };
  const cells = [HEADINGS, ...[...rows, whole].map(cellsOf)];
  const widths = HEADINGS.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) => {
      const padded = row.map((cell, at) => {
        const width = widths[at] ?? 0;
        return at === 0 || at === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
      });
      return `${padded.join("  ").trimEnd()}\n`;
    })
    .join("");
}

function rowOf({ statementMap, s, b, f }: FileCoverage, name: string): Row {
  /** The most that a statement which begins on the line has run. */
  const lines = new Map<number, number>();
  for (const [key, { start }] of Object.entries(statementMap)) {
    lines.set(start.line, Math.max(s[key] ?? 0, lines.get(start.line) ?? 0));
  }
  const counts = [Object.values(s), Object.values(b).flat(), Object.values(f), [...lines.values()]];
  const uncovered = [...lines].filter(([, runs]) => runs === 0).map(([line]) => line);
  return { name, shares: counts.map(shareOf), uncovered: uncovered.sort((l, r) => l - r) };
}

function shareOf(counts: readonly number[]): Share {
  return { covered: counts.filter((count) => count > 0).length, all: counts.length };
}

function cellsOf({ name, shares, uncovered }: Row): string[] {
  const percents = shares.map(({ covered, all }) =>
    all === 0 ? "100 %" : `${Math.floor((covered / all) * 1000) / 10} %`,
  );
  return [name, ...percents, rangesOf(uncovered)];
}

/** Lines as "3-5,9". */
function rangesOf(lines: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const line of lines) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === line - 1) range[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(",");
}
