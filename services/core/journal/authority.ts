import { randomUUID } from "node:crypto";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AuthorityChange, AuthorityChangeSchema } from "@weft/proto/weft/event/v1/ca_pb.ts";
import { WeftError } from "../error.ts";
import {
  AUTHORITY_SCHEMA,
  type Authority,
  type AuthorityDecision,
  authorityChange,
  emptyAuthority,
  evolveAuthority,
} from "../mesh/index.ts";
import type { Clock, Logger } from "../runtime/index.ts";
import type { AppendOptions, Entry, Journal } from "./journal.ts";

/** The authority of a mesh as its log has it, and the one way to change it. */
export interface AuthorityLog extends AsyncDisposable {
  /** As of the last change folded; the last good one if frozen. */
  readonly state: Authority;
  /** Why the fold stopped for ever. */
  readonly frozen: WeftError | undefined;
  /**
   * Resolves when the state has all that the log holds now: what another replica has answered for
   * is then known here too.
   *
   * @throws WeftError unavailable `log.unavailable`, `log.frozen` or `log.behind`
   */
  catchUp(): Promise<void>;
  /**
   * Decides on the newest state, appends, and resolves once the state has it. Another writer that
   * comes first makes it decide again. Undefined changes nothing.
   *
   * @throws WeftError what `decide` throws; unavailable `ca.busy` if too many wait or others always
   *   come first, `log.frozen`, `log.behind`, and what appending throws.
   */
  change(
    actor: string,
    decide: (authority: Authority) => AuthorityDecision | undefined,
  ): Promise<void>;
}

export interface FollowAuthorityOptions {
  /** The subject `weft.<mesh>.ca.authority`: appends expect its last revision. */
  readonly journal: Journal;
  readonly mesh: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes that wait for those before them: each takes some ms, and callers give up after seconds. */
const CHANGES_WAITING_MAX = 1_000;

/**
 * How long a change tries to get in before others: each loss costs some ms, and with ten replicas
 * that all write, one in ten tries wins.
 */
const CHANGE_TIMEOUT_MS = 10_000;

/** Sends of one message whose fate is unknown; the log stores it once however often it is sent. */
const SENDS_MAX = 3;

/** A change is folded some ms after it was stored; after this, reading has stopped. */
const FOLD_TIMEOUT_MS = 10_000;

/** Folding at start: a million changes take some ten seconds. */
const CATCH_UP_TIMEOUT_MS = 120_000;

/**
 * Folds the authority's log and follows it. Resolves when the state has all that was there.
 *
 * @throws WeftError unavailable `log.unavailable`, `log.frozen` or `log.behind`
 */
export async function followAuthority(options: FollowAuthorityOptions): Promise<AuthorityLog> {
  const follower = new Follower(options);
  try {
    await follower.reach(await options.journal.last(), CATCH_UP_TIMEOUT_MS);
  } catch (cause) {
    await follower[Symbol.asyncDispose]();
    throw cause;
  }
  return follower;
}

/**
 * Appends and, where the outcome is unknown, sends the same again: its id makes that harmless.
 *
 * @throws WeftError as `Journal.append`
 */
export async function appendSurely(
  journal: Journal,
  payload: Uint8Array,
  options: AppendOptions,
): Promise<number> {
  for (let sends = 1; ; sends++) {
    try {
      return await journal.append(payload, options);
    } catch (cause) {
      const isUnknown = cause instanceof WeftError && cause.code === "log.outcome_unknown";
      if (!isUnknown || sends === SENDS_MAX) throw cause;
    }
  }
}

interface Wait {
  readonly revision: number;
  readonly settle: (error?: WeftError) => void;
}

class Follower implements AuthorityLog {
  state = emptyAuthority;
  frozen: WeftError | undefined;
  readonly #options: FollowAuthorityOptions;
  readonly #stop = new AbortController();
  readonly #waits = new Set<Wait>();
  readonly #running: Promise<void>;
  /** Ends when the last change in the queue has. */
  #queue: Promise<unknown> = Promise.resolve();
  #queued = 0;

  constructor(options: FollowAuthorityOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  change(
    actor: string,
    decide: (authority: Authority) => AuthorityDecision | undefined,
  ): Promise<void> {
    if (this.#queued >= CHANGES_WAITING_MAX) {
      return Promise.reject(busy(`${CHANGES_WAITING_MAX} changes are waiting`));
    }
    this.#queued++;
    // One at a time: two of ours that expect the same revision would only be in each other's way.
    const change = this.#queue.then(() => this.#decide(actor, decide));
    this.#queue = change.catch(() => {}).then(() => void this.#queued--);
    return change;
  }

  async catchUp(): Promise<void> {
    await this.reach(await this.#options.journal.last(), FOLD_TIMEOUT_MS);
  }

  /** Resolves when the state has `revision`. */
  async reach(revision: number, timeoutMs: number): Promise<void> {
    if (this.frozen !== undefined) throw this.frozen;
    if (this.state.revision >= revision) return;
    if (this.#stop.signal.aborted) throw behind(revision, this.state);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wait: Wait = { revision, settle: (error) => (error ? reject(error) : resolve()) };
    const timer = setTimeout(() => wait.settle(behind(revision, this.state)), timeoutMs);
    this.#waits.add(wait);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waits.delete(wait);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const { settle, revision } of this.#waits) settle(behind(revision, this.state));
    await this.#running;
  }

  async #decide(
    actor: string,
    decide: (authority: Authority) => AuthorityDecision | undefined,
  ): Promise<void> {
    const { journal, mesh, clock } = this.#options;
    const deadline = AbortSignal.timeout(CHANGE_TIMEOUT_MS);
    while (!deadline.aborted) {
      if (this.frozen !== undefined) throw this.frozen;
      const decision = decide(this.state);
      if (decision === undefined) return;
      const id = randomUUID();
      const change = authorityChange(decision, { id, mesh, actor, atMs: clock.now() });
      const expectedRevision = this.state.revision;
      const payload = toBinary(AuthorityChangeSchema, change);
      try {
        const revision = await appendSurely(journal, payload, { commandId: id, expectedRevision });
        return await this.reach(revision, FOLD_TIMEOUT_MS);
      } catch (cause) {
        if (!(cause instanceof WeftError && cause.code === "log.conflict")) throw cause;
        // Whoever came first stored something behind what we expected.
        await this.reach(expectedRevision + 1, FOLD_TIMEOUT_MS);
      }
    }
    throw busy(`others changed the authority for ${CHANGE_TIMEOUT_MS} ms`);
  }

  /** Takes in changes until it is stopped, or until one does not fit. Never rejects. */
  async #run(): Promise<void> {
    const { journal, log } = this.#options;
    try {
      for await (const entry of journal.tail({ from: 1, signal: this.#stop.signal })) {
        this.#take(entry);
      }
      if (!this.#stop.signal.aborted) throw frozen("the authority's log has ended");
    } catch (cause) {
      this.frozen = asFrozen(cause);
      log.error({ revision: this.state.revision, err: cause }, "the authority's log is frozen");
      for (const { settle } of this.#waits) settle(this.frozen);
    }
  }

  #take({ revision, payload }: Entry): void {
    const change = readChange(payload, revision);
    if (change.mesh !== this.#options.mesh) {
      throw frozen(`authority change ${revision} is of mesh ${change.mesh}`);
    }
    if (change.schema > AUTHORITY_SCHEMA || change.kind.case === undefined) {
      throw frozen(`authority change ${revision} was written by a newer program`);
    }
    if (revision <= this.state.revision) {
      throw frozen(`authority change ${revision} came after ${this.state.revision}`);
    }
    this.state = evolveAuthority(this.state, change, revision);
    for (const wait of this.#waits) if (wait.revision <= revision) wait.settle();
  }
}

function readChange(payload: Uint8Array, revision: number): AuthorityChange {
  try {
    return fromBinary(AuthorityChangeSchema, payload);
  } catch (cause) {
    throw frozen(`revision ${revision} is not an authority change`, cause);
  }
}

function asFrozen(cause: unknown): WeftError {
  if (cause instanceof WeftError && cause.code === "log.frozen") return cause;
  return frozen("the authority's log cannot be followed", cause);
}

function frozen(message: string, cause?: unknown): WeftError {
  return new WeftError("unavailable", "log.frozen", message, { cause });
}

function behind(revision: number, state: Authority): WeftError {
  const message = `authority change ${revision} is not here yet, only ${state.revision}`;
  return new WeftError("unavailable", "log.behind", message);
}

function busy(message: string): WeftError {
  return new WeftError("unavailable", "ca.busy", message);
}
