import { globSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { TestModule, Vitest } from "vitest/node";
import { COVERED_FOLDER, COVERED_MODULE } from "../testing/covered-module.ts";

export interface TestRun {
  /** Parts of names of files: only those that have one are run. */
  readonly filters: readonly string[];
  readonly isWatching: boolean;
  /** Whether vitest tells on stdout what happens. */
  readonly isReporting: boolean;
  /** The path of a module that is started instead of a release, to count what of it runs. */
  readonly coveredModule?: string | undefined;
}

/** How one test has ended. */
export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** What failed, if it did. */
  readonly errors: readonly string[];
}

/** Building a plugin comes first, and the machine may be busy. */
const TIMEOUT_MS = 60_000;

/** What no test imports, and all depend on: a change of it has all of them run again. */
const BUILT_FROM = ["**/assembly/**", "**/asconfig.json", "**/budget.json", "**/package.json"];

const TESTS = "**/*.test.ts";
const NO_TESTS = ["**/node_modules/**", "**/build/**", "**/coverage/**"];

export function testFiles(folder: string): string[] {
  return globSync(TESTS, { cwd: folder, exclude: NO_TESTS }).sort();
}

/** Runs the tests of a plugin's folder. While it watches, it does not end. */
export async function runTests(folder: string, run: TestRun): Promise<TestOutcome[]> {
  // Only here: it is much to load for whoever runs no tests.
  const { startVitest } = await import("vitest/node");
  const vitest = await startVitest([...run.filters], {
    root: resolve(folder),
    config: false,
    watch: run.isWatching,
    run: !run.isWatching,
    forceRerunTriggers: BUILT_FROM,
    include: [TESTS],
    exclude: NO_TESTS,
    env: coverageEnv(folder, run),
    reporters: run.isReporting ? ["default"] : [{}],
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
  });
  if (run.isWatching) await new Promise<never>(() => {});
  const outcomes = outcomesOf(vitest);
  await vitest.close();
  return outcomes;
}

function coverageEnv(folder: string, { coveredModule }: TestRun): Record<string, string> {
  if (coveredModule === undefined) return {};
  return { [COVERED_FOLDER]: realpathSync(folder), [COVERED_MODULE]: coveredModule };
}

function outcomesOf({ state }: Vitest): TestOutcome[] {
  const stray = state.getUnhandledErrors().map((error): TestOutcome => {
    return { file: "", name: "outside any test", state: "failed", errors: [messageOf(error)] };
  });
  return [...state.getTestModules().flatMap(moduleOutcomes), ...stray];
}

function moduleOutcomes(module: TestModule): TestOutcome[] {
  const file = module.relativeModuleId;
  const outcomes = [...module.children.allTests()].map((test): TestOutcome => {
    const { state, errors = [] } = test.result();
    const told = state === "pending" ? "skipped" : state;
    return { file, name: test.fullName, state: told, errors: errors.map(messageOf) };
  });
  // A file that does not load, or a hook of it that fails.
  const isBroken = module.state() === "failed" && !outcomes.some(hasFailed);
  if (!isBroken) return outcomes;
  const errors = module.errors().map(messageOf);
  return [...outcomes, { file, name: "the file itself", state: "failed", errors }];
}

function hasFailed({ state }: TestOutcome): boolean {
  return state === "failed";
}

function messageOf(error: unknown): string {
  return (error as { message?: string }).message ?? String(error);
}
