import type { Commit } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { WeftError } from "../error.ts";
import type { Logger } from "../runtime/index.ts";
import { admitEntry, type Head, headOf, startOfLog } from "./chain.ts";
import type { Entry, LogReader } from "./journal.ts";

/** Waits that one fold holds: far above the requests a replica serves at once. */
const WAITS_MAX = 10_000;

export interface FollowOptions<S> {
  readonly journal: LogReader;
  /** Whose log it must be. */
  readonly mesh: string;
  readonly initial: S;
  /** Pure: the state after a commit. Not called for a commit that this program may pass over. */
  readonly evolve: (state: S, commit: Commit, revision: number) => S;
  /** Ends the fold. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Told of each commit once the state has it, in order. Must not throw. */
export type FoldListener<S> = (state: S, commit: Commit, revision: number) => void;

/** A state that follows a log. */
export interface Fold<S> {
  readonly mesh: string;
  /** As of `revision`; the last good one if frozen. */
  readonly state: S;
  readonly revision: number;
  /** What the next commit stands on. */
  head(): Head;
  /** Why the fold stopped for ever: `log.frozen`. The state stays served, writers must refuse. */
  readonly frozen: WeftError | undefined;
  /** Resolves once the fold has all that the log held at the start; rejects if it ended before. */
  readonly caughtUp: Promise<void>;
  /** Calls the listener for each commit from now on; answers how to end that. */
  subscribe(listener: FoldListener<S>): () => void;
  /**
   * The state, as soon as it has `revision`.
   *
   * @throws WeftError unavailable `log.frozen`, or `log.behind` when the signal aborts first.
   */
  waitFor(revision: number, signal: AbortSignal): Promise<S>;
}

/**
 * Folds a log from its first commit and follows it, and checks on the way that the log is one chain
 * (chain.ts). What does not fit freezes the fold and is never folded; so does a commit that `evolve`
 * throws on.
 *
 * While it catches up, only the last root known at the start is compared: it covers all bytes before
 * it. From there on every one is.
 *
 * @throws WeftError unavailable `log.unavailable` if the log cannot say where it ends.
 */
export async function followLog<S>(options: FollowOptions<S>): Promise<Fold<S>> {
  const { journal, mesh, signal, log } = options;
  const identity = { name: journal.name, incarnation: journal.incarnation, mesh };
  const target = await journal.last();
  const listeners = new Set<FoldListener<S>>();
  const waits = createWaits<S>();
  const caughtUp = Promise.withResolvers<void>();
  // Nobody has to wait for it: `frozen` says the same.
  caughtUp.promise.catch(() => {});
  let position = startOfLog;
  let state = options.initial;
  let frozen: WeftError | undefined;

  function take(entry: Entry): void {
    const compareRoot = entry.revision >= target;
    const admitted = admitEntry(identity, position, { entry, compareRoot });
    const { commit } = admitted;
    if (admitted.known) state = options.evolve(state, commit, entry.revision);
    position = admitted.position;
    for (const listener of listeners) listener(state, commit, entry.revision);
    if (entry.revision === target) caughtUp.resolve();
    waits.reach(entry.revision, state);
  }

  async function run(): Promise<void> {
    let end = new WeftError("unavailable", "log.behind", `${journal.name} is let go`);
    try {
      for await (const entry of journal.tail({ from: 1, signal })) take(entry);
    } catch (cause) {
      end = asEnd(journal.name, position.revision, cause);
      if (end.code === "log.frozen") frozen = end;
      log.error({ revision: position.revision, err: end }, "the log is no longer followed");
    }
    caughtUp.reject(end);
    waits.end(end);
  }

  if (target === 0) caughtUp.resolve();
  void run();
  return {
    mesh,
    get state() {
      return state;
    },
    get revision() {
      return position.revision;
    },
    get frozen() {
      return frozen;
    },
    caughtUp: caughtUp.promise,
    head: () => headOf(position),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async waitFor(revision, until) {
      if (position.revision >= revision) return state;
      const behind = (): WeftError =>
        new WeftError(
          "unavailable",
          "log.behind",
          `revision ${revision} is not here yet, only ${position.revision}`,
        );
      return await waits.add(revision, { signal: until, behind });
    },
  };
}

/** Those who wait for a revision, until it is reached, their signal aborts or the fold ends. */
function createWaits<S>() {
  interface Wait {
    readonly revision: number;
    readonly settle: (outcome: { readonly state: S } | WeftError) => void;
  }
  const waiting = new Set<Wait>();
  let ended: WeftError | undefined;
  return {
    reach(revision: number, state: S): void {
      for (const wait of waiting) if (wait.revision <= revision) wait.settle({ state });
    },
    end(error: WeftError): void {
      ended = error;
      for (const wait of waiting) wait.settle(error);
    },
    async add(
      revision: number,
      { signal, behind }: { readonly signal: AbortSignal; readonly behind: () => WeftError },
    ): Promise<S> {
      if (ended !== undefined) throw ended;
      if (signal.aborted || waiting.size >= WAITS_MAX) throw behind();
      const { promise, resolve, reject } = Promise.withResolvers<S>();
      const giveUp = (): void => wait.settle(behind());
      const wait: Wait = {
        revision,
        settle(outcome) {
          waiting.delete(wait);
          signal.removeEventListener("abort", giveUp);
          if (outcome instanceof WeftError) reject(outcome);
          else resolve(outcome.state);
        },
      };
      waiting.add(wait);
      signal.addEventListener("abort", giveUp);
      return await promise;
    },
  };
}

/** Whatever ends a fold freezes it, but for a connection that was closed: then nothing is wrong. */
function asEnd(name: string, revision: number, cause: unknown): WeftError {
  const isClosed = cause instanceof WeftError && cause.code === "log.unavailable";
  if (isClosed || (cause instanceof WeftError && cause.code === "log.frozen")) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${name} cannot be followed past revision ${revision}: ${why}`;
  return new WeftError("unavailable", "log.frozen", message, { cause });
}
