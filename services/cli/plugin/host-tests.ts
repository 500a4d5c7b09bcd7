import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import type { TestCase, Vitest } from "vitest/node";
import type { BuiltModule } from "./folder.ts";
import { createWarmThreads, type WarmThreads } from "./warm-threads.ts";

/** The tests of a plugin's folder, as a vitest runs them that stays. */
export interface HostTests extends AsyncDisposable {
  /**
   * Runs those that are quick on a module that was just built; none before `rest` has come to know
   * them. What is red there, because it counts what only a release is held to, is asked of a
   * release, and put off from then on. @throws WeftError `plugin.red` if one fails
   */
  quick(built: BuiltModule): Promise<void>;
  /** Runs the others on a release, all at first; false if there are none. @throws `plugin.red` */
  rest(): Promise<boolean>;
}

/** A test that takes longer does not keep an edit from being served. */
const QUICK_MS_MAX = 200;

/** Building a plugin comes first, and the machine may be busy. */
const TIMEOUT_MS = 60_000;

/** Failures that are told: the first ones say what is wrong. */
const FAILURES_SHOWN_MAX = 3;

const ALL = /^/;

export function createHostTests(folder: string): HostTests {
  const root = resolve(folder);
  const home = mkdtempSync(join(tmpdir(), "weft-tests-"));
  const module = join(home, "module.wasm");
  // Where tests find the module, see the SDK's build-once.ts; without this they build a release.
  const built = { WEFT_BUILT_FOLDER: root, WEFT_BUILT_MODULE: module };
  // Two, since what is put off may still run when the next edit is there.
  const gate = createRunner(root, built);
  const release = createRunner(root, {});
  /** The names of slow tests; undefined before the first run of all. */
  let slow: Set<string> | undefined;
  /** Those that are about releases. */
  const releases = new Set<string>();
  return {
    async quick({ wasm, sourceMap }) {
      if (slow === undefined) return;
      writeFileSync(module, wasm);
      writeFileSync(`${module}.map`, sourceMap ?? "{}");
      const run = await gate.run(patternOf([...slow, ...releases], "but"));
      for (const name of slowOf(run)) slow.add(name);
      const red = failedOf(run).map(nameOf);
      if (red.length === 0 || run.errors.length > 0) return judge(run, root);
      judge(await release.run(patternOf(red, "only")), root);
      for (const name of red) releases.add(name);
    },
    async rest() {
      if (slow !== undefined && slow.size + releases.size === 0) return false;
      const names = slow === undefined ? ALL : patternOf([...slow, ...releases], "only");
      const run = await release.run(names);
      // What a busy moment made slow is quick again.
      slow = new Set(slowOf(run));
      judge(run, root);
      return run.tests.length > 0;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gate.close(), release.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface Run {
  readonly tests: readonly TestCase[];
  /** What has failed outside of tests, by file. */
  readonly errors: readonly (readonly [string, TestError])[];
}

interface TestError {
  readonly message?: string;
  readonly stack?: string | undefined;
}

interface Runner {
  run(names: RegExp): Promise<Run>;
  close(): Promise<void>;
}

function createRunner(root: string, env: Readonly<Record<string, string>>): Runner {
  let starting: Promise<WarmVitest> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function run(names: RegExp): Promise<Run> {
    const sources = globSync("**/*.ts", { cwd: root, exclude: NO_TESTS });
    // A folder without tests is not to wait for vitest.
    if (!sources.some((path) => path.endsWith(".test.ts"))) return { tests: [], errors: [] };
    starting ??= startVitest(root, env);
    const { vitest } = await starting;
    for (const path of sources) vitest.invalidateFile(join(root, path));
    vitest.setGlobalTestNamePattern(names);
    const specifications = await vitest.globTestSpecifications();
    const code = process.exitCode;
    await vitest.rerunTestSpecifications(specifications, true);
    // How this process ends is not for a red test to say.
    process.exitCode = code;
    const modules = vitest.state.getTestModules();
    const errors = modules.flatMap((each) =>
      each.errors().map((error) => [each.moduleId, error] as const),
    );
    const stray = vitest.state
      .getUnhandledErrors()
      .map((error) => ["", error as TestError] as const);
    const tests = modules.flatMap((each) => [...each.children.allTests()]);
    return { tests, errors: [...errors, ...stray] };
  }

  return {
    run(names) {
      const next = last.then(() => run(names));
      last = next.catch(() => {}); // told to whoever asked for it
      return next;
    },
    async close() {
      const started = await starting?.catch(() => undefined); // told by the run that has started it
      await started?.vitest.close();
      await started?.threads[Symbol.asyncDispose]();
    },
  };
}

const NO_TESTS = ["assembly/**", "build/**", "node_modules/**"];

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

interface WarmVitest {
  readonly vitest: Vitest;
  readonly threads: WarmThreads;
}

async function startVitest(
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<WarmVitest> {
  const { createVitest, ThreadsPoolWorker } = await import("vitest/node");
  const threads = createWarmThreads(ThreadsPoolWorker);
  const own = SIGNALS.map((signal) => process.listeners(signal));
  const vitest = await createVitest({
    root,
    config: false,
    watch: false,
    include: ["**/*.test.ts"],
    exclude: NO_TESTS,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    // One plugin is one thing to test: more workers would take the time they need to start.
    maxWorkers: 1,
    pool: threads,
    isolate: false,
    silent: true,
    reporters: [{}],
    env: { LOG_LEVEL: "fatal", ...env },
  });
  // Vitest would end the process at a signal, with Envoy still running: ending it is up to us.
  SIGNALS.forEach((signal, index) => {
    const added = process.listeners(signal).filter((listener) => !own[index]?.includes(listener));
    for (const listener of added) process.off(signal, listener);
  });
  await vitest.standalone();
  return { vitest, threads };
}

function failedOf({ tests }: Run): TestCase[] {
  return tests.filter((test) => test.result().state === "failed");
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
function patternOf(names: readonly string[], which: "only" | "but"): RegExp {
  const some = names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
  return which === "only" ? new RegExp(`^(?:${some})$`) : new RegExp(`^(?!(?:${some})$)`);
}

/** @throws WeftError `plugin.red` with the first failures */
function judge(run: Run, root: string): void {
  const failures = [
    ...failedOf(run).map((test) => {
      const [error] = test.result().errors ?? [];
      return `${relative(root, test.module.moduleId)}: ${test.fullName}\n${told(error, root)}`;
    }),
    ...run.errors.map(([file, error]) => {
      return `${file === "" ? "outside of any test" : relative(root, file)}\n${told(error, root)}`;
    }),
  ];
  if (failures.length === 0) return;
  const shown = failures.slice(0, FAILURES_SHOWN_MAX);
  const more = failures.length - shown.length;
  const rest = more > 0 ? `\n\n… and ${more} more` : "";
  const counted = failures.length === 1 ? "a test fails" : `${failures.length} tests fail`;
  throw new WeftError("invalid", "plugin.red", `${counted}\n\n${shown.join("\n\n")}${rest}`);
}

/** What an error says, and where in the folder. */
function told(error: TestError | undefined, root: string): string {
  const message = (error?.message ?? "no reason told").replaceAll("\n", "\n  ");
  const frame = error?.stack?.split("\n").find((line) => line.includes(root));
  const [, file, line, column] = /(\/[^():]+):(\d+):(\d+)/.exec(frame ?? "") ?? [];
  const place = file === undefined ? "" : `\n  at ${relative(root, file)}:${line}:${column}`;
  return `  ${message}${place}`;
}
