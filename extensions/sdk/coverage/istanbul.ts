import { join } from "node:path";
import { LIBRARY, readSourceMap } from "../host/source-map.ts";
import type { Coverage } from "../wasm/index.ts";
import { countOutline } from "./count-outline.ts";
import { type OutlinedBranch, outline, type Span } from "./outline.ts";
import { type Run, runsBySource, sumCoverage } from "./runs.ts";

/** What Istanbul's tools read: `coverage-final.json`, by the path of each file. */
export type Istanbul = Readonly<Record<string, FileCoverage>>;

export interface FileCoverage {
  readonly path: string;
  readonly statementMap: Readonly<Record<string, Location>>;
  readonly fnMap: Readonly<Record<string, FunctionEntry>>;
  readonly branchMap: Readonly<Record<string, BranchEntry>>;
  /** How often each ran; of branches, each of its ways. */
  readonly s: Readonly<Record<string, number>>;
  readonly f: Readonly<Record<string, number>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

export interface FunctionEntry {
  readonly name: string;
  readonly line: number;
  readonly decl: Location;
  readonly loc: Location;
}

export interface BranchEntry {
  readonly type: OutlinedBranch["kind"];
  readonly line: number;
  readonly loc: Location;
  readonly locations: readonly Location[];
}

/** Lines from 1, columns from 0. */
export interface Location {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

export interface CoverageOptions {
  /** What VMs of the module have run: any number of them. */
  readonly coverage: readonly Coverage[];
  /** The module's. */
  readonly sourceMap: string;
  /** The plugin's folder, which the paths begin with. */
  readonly folder: string;
  /** Texts by paths as in the map, of sources that may have come to no code at all. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** Sources that the build has written itself. */
const GENERATED = /^weft-\w+\.ts$/;

/**
 * The coverage of the plugin's own sources, by their statements as they stand in the text. Where
 * the compiler made no code of one it is left out, unless nothing of its function is there: then
 * nobody calls that. The counts are true of a build without optimisation (`optimizeLevel` and
 * `shrinkLevel` 0); an optimiser merges ways, so that what did not run may look as if it did.
 */
export function istanbulOf({ coverage, sourceMap, folder, texts }: CoverageOptions): Istanbul {
  const map = readSourceMap(sourceMap);
  const sum = sumCoverage(coverage);
  const runs = sum === null ? new Map<number, Run[]>() : runsBySource(sum, map);
  const files = new Map([...(texts ?? [])].map(([path, text]) => [path, { text, runs: NO_RUNS }]));
  map.sources.forEach(({ path, text }, index) => {
    if (text !== null) files.set(path, { text, runs: runs.get(index) ?? NO_RUNS });
  });
  const own = [...files].filter(([path]) => !path.startsWith(LIBRARY) && !GENERATED.test(path));
  return Object.fromEntries(
    own
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([path, file]) => {
        const whole = join(folder, path);
        return [whole, { path: whole, ...fileCoverage(file.text, path, file.runs) }];
      }),
  );
}

const NO_RUNS: readonly Run[] = [];

function fileCoverage(
  text: string,
  path: string,
  runs: readonly Run[],
): Omit<FileCoverage, "path"> {
  const lines = lineStarts(text);
  const locate = locator(lines);
  const { statements, functions, branches } = countOutline(
    outline(text, path),
    runs.map(({ line, column, runs }) => ({ at: (lines[line] ?? 0) + column, runs })),
  );
  return {
    statementMap: numbered(statements.map(locate)),
    fnMap: numbered(
      functions.map(({ name, declaration, body }) => {
        const decl = locate(declaration);
        return { name, line: decl.start.line, decl, loc: locate(body) };
      }),
    ),
    branchMap: numbered(
      branches.map(({ kind, ways, ...span }) => {
        const loc = locate(span);
        const locations = ways.map((way) => (way === null ? loc : locate(way)));
        return { type: kind, line: loc.start.line, loc, locations };
      }),
    ),
    s: numbered(statements.map(({ runs }) => runs)),
    f: numbered(functions.map(({ runs }) => runs)),
    b: numbered(branches.map(({ runs }) => runs)),
  };
}

function numbered<T>(all: readonly T[]): Record<string, T> {
  return Object.fromEntries(all.entries());
}

/** Where each line begins, in characters. */
function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

function locator(lines: readonly number[]): (span: Span) => Location {
  const position = (at: number) => {
    const line = lines.findLastIndex((start) => start <= at);
    return { line: line + 1, column: at - (lines[line] ?? 0) };
  };
  return ({ start, end }) => ({ start: position(start), end: position(end) });
}
