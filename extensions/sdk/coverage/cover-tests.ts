import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RUNS_FILES } from "../testing/covered-module.ts";
import { blocksOf, type Coverage, readModule } from "../wasm/index.ts";
import { type Istanbul, istanbulOf } from "./istanbul.ts";

/** A plugin's module that test files start, in processes of their own, and what they run of it. */
export interface CoveredTests extends Disposable {
  /** The path of the module, for `runTests`. */
  readonly module: string;
  /** What has run by now, of all sources: those that are no part of the module have not. */
  istanbul(): Istanbul;
}

/** What the build for coverage makes of a plugin. */
export interface CoveredModule {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
}

/** Lays out the module of a plugin's folder to be covered by its tests, until it is disposed of. */
export function coverTests(folder: string, { wasm, sourceMap }: CoveredModule): CoveredTests {
  const home = mkdtempSync(join(tmpdir(), "weft-coverage-"));
  const module = join(home, "module.wasm");
  writeFileSync(module, wasm);
  writeFileSync(`${module}.map`, sourceMap);
  return {
    module,
    istanbul: () =>
      istanbulOf({
        coverage: coverageIn(home, wasm),
        sourceMap,
        folder: resolve(folder),
        texts: sourcesOf(folder),
      }),
    [Symbol.dispose]: () => rmSync(home, { recursive: true }),
  };
}

/** What each test file has run; before them nothing has, of all code that there is. */
function coverageIn(home: string, wasm: Uint8Array): Coverage[] {
  const functions = blocksOf(readModule(wasm));
  const nothing = functions.map(({ blocks }) => blocks.map(() => 0));
  const runs = globSync(RUNS_FILES, { cwd: home }).map((name) =>
    JSON.parse(readFileSync(join(home, name), "utf8")),
  );
  return [nothing, ...runs].map((each) => ({ functions, runs: each }));
}

function sourcesOf(folder: string): Map<string, string> {
  const paths = globSync("assembly/**/*.ts", { cwd: folder, exclude: ["**/*.d.ts"] });
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/** Writes `coverage/coverage-final.json` into a plugin's folder, where Istanbul's tools look. */
export function writeCoverage(folder: string, istanbul: Istanbul): void {
  const home = join(folder, "coverage");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "coverage-final.json"), `${JSON.stringify(istanbul, null, 2)}\n`);
}
