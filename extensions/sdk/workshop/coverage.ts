import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readPlaces, type SourcePlace } from "../host/source-map.ts";
import type { RawCoverage } from "../testing/raw-coverage.ts";
import { blocksOf, functionNames, readModule } from "../wasm/index.ts";

/** A source file's coverage in the form that Istanbul's reporters, and most others, read. */
export interface FileCoverage {
  readonly path: string;
  readonly statementMap: Record<string, Range>;
  readonly fnMap: Record<string, FunctionPlace>;
  /** Empty: what the compiler makes conditions of is not what the source has. */
  readonly branchMap: Record<string, never>;
  readonly s: Record<string, number>;
  readonly f: Record<string, number>;
  readonly b: Record<string, never>;
}

interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** Lines count from 1, columns from 0. */
interface Position {
  readonly line: number;
  readonly column: number;
}

interface FunctionPlace {
  readonly name: string;
  readonly line: number;
  readonly decl: Range;
  readonly loc: Range;
}

/** What of a file has run, to be read by people. */
export interface CoverageRow {
  /** As the plugin's folder has it: "assembly/index.ts". */
  readonly file: string;
  /** Lines that the compiler has made code of, and those of them that have run. */
  readonly lines: number;
  readonly linesRun: number;
  readonly missed: readonly number[];
}

/** What test files have left in a folder, added up for one plugin. */
export function readRaw(from: string, plugin: string): number[][] {
  const sums: number[][] = [];
  for (const name of globSync("*.json", { cwd: from })) {
    const { folder, runs } = JSON.parse(readFileSync(join(from, name), "utf8")) as RawCoverage;
    if (resolve(folder) !== resolve(plugin)) continue;
    for (const [at, blocks] of runs.entries()) {
      const before = sums[at] ?? [];
      sums[at] = blocks.map((times, block) => times + (before[block] ?? 0));
    }
  }
  return sums;
}

/** The sources of the plugin itself; those of the SDK and the compiler are tested elsewhere. */
const OWN = /^assembly\//;

interface LineRuns {
  readonly runs: number;
  /** Where the first code of it stands. */
  readonly column: number;
}

interface FunctionRuns {
  readonly name: string;
  readonly line: number;
  readonly runs: number;
}

/** What has run of a file, by line and by function. */
interface FileRuns {
  readonly lines: Map<number, LineRuns>;
  readonly functions: FunctionRuns[];
}

/**
 * Tells by line what the blocks of a module tell by instruction. Lines of which the compiler has
 * made no code, because it needs none or has put it elsewhere, are not counted.
 */
export function coverageOf(
  folder: string,
  { wasm, sourceMap }: { readonly wasm: Uint8Array; readonly sourceMap: string },
  runs: readonly (readonly number[])[],
): FileCoverage[] {
  const places = readPlaces(sourceMap).filter(({ file }) => OWN.test(file));
  const files = new Map<string, FileRuns>();
  const module = readModule(wasm);
  const names = functionNames(module);
  for (const [at, { index, body, blocks }] of blocksOf(module).entries()) {
    const inside = places.filter(({ offset }) => offset >= body.start && offset < body.end);
    for (const place of inside) {
      const block = blocks.findLastIndex((each) => each.at <= place.offset);
      addLine(runsOf(files, place.file).lines, place, runs[at]?.[block] ?? 0);
    }
    const [first] = inside;
    const name = names.get(index) ?? "";
    if (first === undefined || !OWN.test(name)) continue;
    const own = {
      name: name.split("/").at(-1) ?? name,
      line: first.line,
      runs: runs[at]?.[0] ?? 0,
    };
    runsOf(files, first.file).functions.push(own);
  }
  return [...files].sort().map(([file, own]) => istanbul(join(resolve(folder), file), own));
}

function runsOf(files: Map<string, FileRuns>, file: string): FileRuns {
  const known = files.get(file) ?? { lines: new Map(), functions: [] };
  files.set(file, known);
  return known;
}

/** A line has run as often as what of it ran most often. */
function addLine(lines: Map<number, LineRuns>, { line, column }: SourcePlace, runs: number): void {
  const known = lines.get(line) ?? { runs: 0, column };
  lines.set(line, {
    runs: Math.max(known.runs, runs),
    column: Math.min(known.column, column),
  });
}

function istanbul(path: string, { lines, functions }: FileRuns): FileCoverage {
  const texts = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  const whole = (line: number, column = 0): Range => ({
    start: { line, column },
    end: { line, column: texts[line - 1]?.length ?? column },
  });
  const sorted = [...lines].sort(([left], [right]) => left - right);
  const numbered = <T, R>(all: readonly T[], of: (each: T) => R) =>
    Object.fromEntries(all.map((each, index) => [String(index), of(each)]));
  return {
    path,
    statementMap: numbered(sorted, ([line, { column }]) => whole(line, column)),
    fnMap: numbered(functions, ({ name, line }) => {
      return { name, line, decl: whole(line), loc: whole(line) };
    }),
    branchMap: {},
    s: numbered(sorted, ([, { runs }]) => runs),
    f: numbered(functions, ({ runs }) => runs),
    b: {},
  };
}

/** Writes `coverage/coverage-final.json`, and answers its path. */
export function writeCoverage(folder: string, files: readonly FileCoverage[]): string {
  const path = join(folder, "coverage", "coverage-final.json");
  mkdirSync(join(folder, "coverage"), { recursive: true });
  const all = Object.fromEntries(files.map((file) => [file.path, file]));
  writeFileSync(path, `${JSON.stringify(all, null, 2)}\n`);
  return path;
}

export function coverageRows(folder: string, files: readonly FileCoverage[]): CoverageRow[] {
  return files.map(({ path, statementMap, s }) => {
    const all = Object.entries(statementMap).map(([id, { start }]) => [start.line, s[id] ?? 0]);
    const missed = all.filter(([, runs]) => runs === 0).map(([line]) => line ?? 0);
    const file = path.slice(resolve(folder).length + 1);
    return { file, lines: all.length, linesRun: all.length - missed.length, missed };
  });
}
