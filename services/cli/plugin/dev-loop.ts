/** What an edit has changed. */
export type Change = "sources" | "tests" | "settings";

export type Step = "build" | "test" | "swap";

/** What each step does; it throws what keeps it from being done. */
export interface Steps<Built> {
  build(): Promise<Built>;
  test(built: Built): Promise<void>;
  /** Puts it into Envoy with the settings of now; false where both serve already. */
  swap(built: Built): Promise<boolean>;
}

/** How an edit has ended. */
export interface Cycle<Built> {
  /** From the change of the file to requests that get it, or to what stopped it. */
  readonly editMs: number;
  /** How long each step took, if it was needed. */
  readonly ms: Readonly<Partial<Record<Step, number>>>;
  /** The last one that compiled. */
  readonly built: Built | undefined;
  /** Whether something else serves now. */
  readonly isLive: boolean;
  /** What stopped it, if something did. */
  readonly error?: unknown;
}

export interface LoopOptions<Built> {
  readonly steps: Steps<Built>;
  /** In milliseconds, from any time on. */
  readonly now: () => number;
  /** Hears of each edit that was not overtaken by a newer one. */
  readonly report: (cycle: Cycle<Built>) => void;
}

export interface Loop {
  /** Takes an edit that happened at a time of `now`. */
  edit(changes: Iterable<Change>, at: number): void;
  /** Settles once there is nothing to do. */
  idle(): Promise<void>;
}

const ORDER = ["build", "test", "swap"] as const satisfies readonly Step[];

/** The steps that a change makes necessary. */
const STALE_AFTER: Readonly<Record<Change, readonly Step[]>> = {
  sources: ORDER,
  tests: ["test"],
  settings: ["swap"],
};

/**
 * From edits to a plugin that serves: build, test, swap. Only what an edit makes necessary is done,
 * and what has failed before. An edit that comes meanwhile overtakes the one before.
 */
export function createLoop<Built>({ steps, now, report }: LoopOptions<Built>): Loop {
  const stale = new Set<Step>(ORDER);
  let built: Built | undefined;
  let editedAt = 0;
  let edits = 0;
  let running: Promise<void> | undefined;

  async function perform(step: Step): Promise<boolean> {
    if (step === "build" || built === undefined) {
      built = await steps.build();
      return false;
    }
    if (step === "swap") return steps.swap(built);
    await steps.test(built);
    return false;
  }

  /** Goes through the steps for the newest edit; null where a newer one has come. */
  async function pass(edit: number): Promise<Cycle<Built> | null> {
    const ms: Partial<Record<Step, number>> = {};
    const end = (isLive: boolean): Cycle<Built> => {
      return { editMs: now() - editedAt, ms, built, isLive };
    };
    let isLive = false;
    for (const step of ORDER) {
      if (!stale.has(step)) continue;
      const from = now();
      try {
        isLive = await perform(step);
      } catch (error) {
        return edit === edits ? { ...end(false), error } : null;
      }
      if (edit !== edits) return null;
      stale.delete(step);
      ms[step] = now() - from;
    }
    return end(isLive);
  }

  async function run(): Promise<void> {
    for (let seen = 0; seen !== edits; ) {
      seen = edits;
      const cycle = await pass(seen);
      if (cycle !== null) report(cycle);
    }
    running = undefined;
  }

  return {
    edit(changes, at) {
      for (const change of changes) for (const step of STALE_AFTER[change]) stale.add(step);
      editedAt = at;
      edits += 1;
      running ??= Promise.resolve().then(run);
    },
    idle: () => running ?? Promise.resolve(),
  };
}
