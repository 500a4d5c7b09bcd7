// `weft plugin fuzz`: makes up configurations, messages, answers of upstreams and failures of the
// host, plays them, and holds what comes of it against what must be true of every plugin.

import fc from "fast-check";
import { Module } from "../../host/index.ts";
import { type Knowledge, scenarioOf } from "./arbitrary-scenario.ts";
import { type Finding, type Judgement, judge } from "./judge.ts";
import type { Scenario } from "./scenario.ts";

export type { Knowledge } from "./arbitrary-scenario.ts";
export { collect, type Dictionary } from "./dictionary.ts";
export { type Finding, judge, ORACLES, type Oracle } from "./judge.ts";
export { readScenario, type Scenario } from "./scenario.ts";

export interface FuzzOptions {
  /** The same seed makes up the same scenarios, of the same module. */
  readonly seed: number;
  readonly runs: number;
  /** When to end although runs are left; a finding that is being made smaller is taken as it is. */
  readonly timeMs?: number;
  /** Whether the plugin says that what comes out depends on how bodies are cut. */
  readonly ignoresChunking?: boolean;
}

export interface FuzzReport {
  readonly seed: number;
  readonly runs: number;
  /** Runs in which the plugin has refused the configuration. */
  readonly refused: number;
  readonly streams: number;
  /** How often each callback of the module has run: those that never did were not tried. */
  readonly calls: Readonly<Record<string, number>>;
  readonly finding: FoundScenario | null;
}

export interface FoundScenario extends Finding {
  readonly scenario: Scenario;
  /** Steps in which it was made smaller. */
  readonly shrinks: number;
}

/** Memory is watched in one of so many runs, since that takes long. */
const MEMORY_EVERY = 50;

class FoundError extends Error {
  readonly finding: Finding;
  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

/** Fuzzes a plugin until something is found, the runs are over, or the time is. */
export function fuzz(knowledge: Knowledge, options: FuzzOptions): FuzzReport {
  const { seed, runs, timeMs, ignoresChunking = false } = options;
  const tally = createTally(knowledge);
  const seesBodies = callbacksOf(knowledge).some((name) => /_(body|data)$/.test(name));
  // A finding stays one while it is made smaller: then memory is watched every time, or never.
  let memoryFound = false;
  const property = fc.property(scenarioOf(knowledge), (scenario) => {
    const judgement = judge(knowledge.plugin, scenario, {
      checksChunking: seesBodies && !ignoresChunking,
      checksMemory: memoryFound || (!tally.hasFound && tally.runs % MEMORY_EVERY === 0),
    });
    tally.add(scenario, judgement);
    if (judgement.finding === null) return;
    memoryFound ||= judgement.finding.oracle === "memory";
    throw new FoundError(judgement.finding);
  });
  const details = fc.check(property, {
    seed,
    numRuns: runs,
    markInterruptAsFailure: false,
    ...(timeMs === undefined ? {} : { interruptAfterTimeLimit: timeMs }),
  });
  const error = details.errorInstance;
  const [scenario] = details.counterexample ?? [];
  if (details.failed && !(error instanceof FoundError)) throw error;
  const finding =
    error instanceof FoundError && scenario !== undefined
      ? { ...error.finding, scenario, shrinks: details.numShrinks }
      : null;
  return { seed, ...tally.report(), finding };
}

function callbacksOf({ plugin }: Knowledge): string[] {
  const names = Module.exports(plugin.plain.module).map(({ name }) => name);
  return names.filter(
    (name) => name.startsWith("proxy_on_") && name !== "proxy_on_memory_allocate",
  );
}

/** Counts what was tried, up to the first finding: making that smaller is no more trying. */
function createTally(knowledge: Knowledge) {
  const calls = new Map(callbacksOf(knowledge).map((name) => [name, 0]));
  let [runs, refused, streams, hasFound] = [0, 0, 0, false];
  return {
    get runs() {
      return runs;
    },
    get hasFound() {
      return hasFound;
    },
    add: (scenario: Scenario, judgement: Judgement) => {
      if (hasFound) return;
      hasFound = judgement.finding !== null;
      runs++;
      if (judgement.isRefused && !hasFound) refused++;
      else streams += scenario.exchanges.length;
      for (const [name, times] of judgement.calls) {
        if (calls.has(name)) calls.set(name, (calls.get(name) ?? 0) + times);
      }
    },
    report: () => ({ runs, refused, streams, calls: Object.fromEntries(calls) }),
  };
}
