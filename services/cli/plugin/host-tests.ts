import { globSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import type { TestCase, Vitest } from "vitest/node";

/** The tests of a plugin's folder, as a vitest runs them that stays. */
export interface HostTests extends AsyncDisposable {
  /**
   * Runs those that are not known to be slow on what lies in `build/`; none before `rest` has run
   * for the first time. @throws WeftError `plugin.red` if one fails
   */
  quick(): Promise<void>;
  /** Runs the others; all at the first time. @throws WeftError `plugin.red` if one fails */
  rest(): Promise<void>;
}

/** A test that took longer does not keep an edit from being served. */
const QUICK_MS_MAX = 50;

/** Tests know their own patience; this is for those that do not say. */
const TEST_MS_MAX = 60_000;

/** Failures that are told: the first ones say what is wrong. */
const FAILURES_SHOWN_MAX = 3;

/** Where the workers read that the folder is built already; see the SDK's build.ts. */
const BUILT_FOLDER = "WEFT_BUILT_FOLDER";

const ALL = /^/;

export function createHostTests(folder: string): HostTests {
  const root = resolve(folder);
  // Two, since what is slow may still run when the next edit is there.
  const [gate, late] = [createRunner(root), createRunner(root)];
  /** Undefined before the first run of all. */
  let slow: ReadonlySet<string> | undefined;
  return {
    async quick() {
      if (slow === undefined) return;
      const run = await gate.run(patternOf(slow, "but"));
      slow = new Set([...slow, ...slowOf(run)]);
      judge(run, root);
    },
    async rest() {
      if (slow?.size === 0) return;
      const run = await late.run(slow === undefined ? ALL : patternOf(slow, "only"));
      slow = new Set(slowOf(run));
      judge(run, root);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gate.close(), late.close()]);
    },
  };
}

interface Run {
  readonly tests: readonly TestCase[];
  /** What has failed outside of tests, by file. */
  readonly errors: readonly (readonly [string, TestError])[];
}

interface Runner {
  run(names: RegExp): Promise<Run>;
  close(): Promise<void>;
}

function createRunner(root: string): Runner {
  let starting: Promise<Vitest> | undefined;
  return {
    async run(names) {
      const sources = globSync("**/*.ts", { cwd: root, exclude: NO_TESTS });
      // A folder without tests is not to wait for vitest.
      if (!sources.some((path) => path.endsWith(".test.ts"))) return { tests: [], errors: [] };
      starting ??= startVitest(root);
      const vitest = await starting;
      for (const path of sources) vitest.invalidateFile(join(root, path));
      vitest.setGlobalTestNamePattern(names);
      const specifications = await vitest.globTestSpecifications();
      const code = process.exitCode;
      await vitest.rerunTestSpecifications(specifications, true);
      // A red test is told by us; how this process ends is not for vitest to say.
      process.exitCode = code;
      const modules = vitest.state.getTestModules();
      return {
        tests: modules.flatMap((module) => [...module.children.allTests()]),
        errors: [
          ...modules.flatMap((module) =>
            module.errors().map((error) => [module.moduleId, error] as const),
          ),
          ...vitest.state.getUnhandledErrors().map((error) => ["", error as TestError] as const),
        ],
      };
    },
    async close() {
      const vitest = await starting?.catch(() => undefined); // told by the run that has started it
      await vitest?.close();
    },
  };
}

const NO_TESTS = ["assembly/**", "build/**", "node_modules/**"];

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function startVitest(root: string): Promise<Vitest> {
  const { createVitest } = await import("vitest/node");
  const own = SIGNALS.map((signal) => process.listeners(signal));
  const vitest = await createVitest("test", {
    root,
    watch: false,
    include: ["**/*.test.ts"],
    exclude: NO_TESTS,
    testTimeout: TEST_MS_MAX,
    // One plugin is one thing to test: more workers would take the time they need to start.
    maxWorkers: 1,
    pool: "threads",
    isolate: false,
    silent: true,
    reporters: [{}],
    env: { LOG_LEVEL: "fatal", [BUILT_FOLDER]: root },
  });
  // Vitest would end the process at a signal, with Envoy still running: ending it is up to us.
  SIGNALS.forEach((signal, index) => {
    const added = process.listeners(signal).filter((listener) => !own[index]?.includes(listener));
    for (const listener of added) process.off(signal, listener);
  });
  await vitest.standalone();
  return vitest;
}

/** The names of those that were slow. */
function slowOf({ tests }: Run): string[] {
  const slow = tests.filter((test) => (test.diagnostic()?.duration ?? 0) > QUICK_MS_MAX);
  return slow.map(nameOf);
}

/** A test's name as vitest's patterns see it: behind those of its suites. */
function nameOf(test: TestCase): string {
  let name = test.name;
  for (let at = test.parent; at.type === "suite"; at = at.parent) name = `${at.name} ${name}`;
  return name;
}

/** Tests of these names only, or all but them. */
function patternOf(names: ReadonlySet<string>, which: "only" | "but"): RegExp {
  const some = [...names].map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
  return which === "only" ? new RegExp(`^(?:${some})$`) : new RegExp(`^(?!(?:${some})$)`);
}

/** @throws WeftError `plugin.red` with the first failures */
function judge({ tests, errors }: Run, root: string): void {
  const failed = tests.filter((test) => test.result().state === "failed");
  const failures = [
    ...failed.map((test) => {
      const [error] = test.result().errors ?? [];
      return `${relative(root, test.module.moduleId)}: ${test.fullName}\n${told(error, root)}`;
    }),
    ...errors.map(([file, error]) => `${relative(root, file)}\n${told(error, root)}`),
  ];
  if (failures.length === 0) return;
  const shown = failures.slice(0, FAILURES_SHOWN_MAX);
  const more = failures.length - shown.length;
  const rest = more > 0 ? `\n\n… and ${more} more` : "";
  const counted = failures.length === 1 ? "a test fails" : `${failures.length} tests fail`;
  throw new WeftError("invalid", "plugin.red", `${counted}\n\n${shown.join("\n\n")}${rest}`);
}

interface TestError {
  readonly message?: string;
  readonly stack?: string | undefined;
}

/** What an error says, and where in the folder. */
function told(error: TestError | undefined, root: string): string {
  const message = (error?.message ?? "no reason told").replaceAll("\n", "\n  ");
  const frame = error?.stack?.split("\n").find((line) => line.includes(root));
  const [, file, line, column] = /(\/[^():]+):(\d+):(\d+)/.exec(frame ?? "") ?? [];
  const place = file === undefined ? "" : `\n  at ${relative(root, file)}:${line}:${column}`;
  return `  ${message}${place}`;
}
