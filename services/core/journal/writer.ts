import { setTimeout as delay } from "node:timers/promises";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { assert, type Code, WeftError } from "../error.ts";
import type { Clock } from "../runtime/index.ts";
import { COMMIT_SCHEMA } from "./chain.ts";
import type { Fold } from "./fold.ts";
import type { Journal } from "./journal.ts";

/** Decisions for one command: with the waits below, about 7 s of losing every race. */
const TRIES_MAX = 10;
/** The first wait after a lost race; each is longer by half, and shortened at random. */
const RETRY_MS = 100;
const RETRY_FACTOR = 1.5;
/** Times that a lost answer is looked for: with the waits below, longer than an election (10 s). */
const RESOLVES_MAX = 6;
const RESOLVE_MS = 500;
const RESOLVE_FACTOR = 2;
/** Writes of one process that wait for their turn; each takes about one round trip. */
const WRITES_MAX = 256;

/** A commit as the caller decides it: the writer adds who, when, where and on what it stands. */
export type Draft = Omit<
  MessageInitShape<typeof CommitSchema>,
  "$typeName" | "$unknown" | "id" | "mesh" | "schema" | "chain" | "command" | "at"
>;

/** What the state remembers of a command that was carried out. */
export interface Outcome {
  readonly revision: number;
  /** SHA-256 of the request, lower-case hex. */
  readonly digest: string;
}

export interface WriterOptions<S> {
  readonly fold: Fold<S>;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Makes the UUID of a commit. */
  readonly newId: () => string;
  /** What the projection knows of a command. */
  readonly outcomeOf: (state: S, commandId: string) => Outcome | undefined;
  /** In [0, 1); spreads retries. */
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Write<S> {
  readonly commandId: string;
  /** SHA-256 of the request, 32 bytes. */
  readonly digest: Uint8Array;
  /** Pure: what to commit on this state, or undefined if nothing would change. May throw. */
  readonly decide: (state: S) => Draft | undefined;
  readonly signal: AbortSignal;
}

export interface Written {
  /** Revision of the commit, or that of the state in which there was nothing to change. */
  readonly revision: number;
  /** False where nothing had to change. True also where an earlier try had done it. */
  readonly changed: boolean;
}

/**
 * Appends what a command decides (events.md section 6) and waits until the own fold has it. A lost
 * race is decided again on the newer state. A lost answer is looked up in the log by the command id,
 * and the same bytes are sent again: original and repetition cannot both win. A command that was
 * carried out before answers its revision.
 *
 * @throws WeftError what `decide` throws; `log.frozen`, `log.unavailable`, `log.full`,
 * `log.too_large`: nothing was written; conflict `log.conflict`: every race was lost; invalid
 * `log.command_reused`: the id was used for another request; unavailable `log.outcome_unknown`:
 * written or not, ask again with the same id.
 */
export async function appendCommit<S>(
  options: WriterOptions<S>,
  write: Write<S>,
): Promise<Written> {
  const { fold } = options;
  // Nobody writes before the head of the log has matched.
  await untilCaughtUp(options, write);
  for (let tries = 1; ; tries++) {
    if (fold.frozen !== undefined) throw fold.frozen;
    const done = findOutcome(options, write);
    if (done !== undefined) return done;
    const draft = write.decide(fold.state);
    if (draft === undefined) return { revision: fold.revision, changed: false };
    const revision = await send(options, write, seal(options, write, draft));
    if (revision !== undefined) {
      await waitForOwn(options, write, revision);
      return { revision, changed: true };
    }
    if (tries === TRIES_MAX) throw givenUp(write, `lost ${tries} races for the next revision`);
    await catchUp(options, write);
    await pause(options, write, RETRY_MS * RETRY_FACTOR ** (tries - 1));
    if (write.signal.aborted) throw givenUp(write, "was called off between two tries");
  }
}

/** Writes of one process, one after the other, so that they do not race each other. */
export interface Writer<S> {
  /** @throws WeftError what `appendCommit` throws; `log.unavailable` if too many writes wait. */
  append(write: Write<S>): Promise<Written>;
}

export function createWriter<S>(options: WriterOptions<S>): Writer<S> {
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async append(write) {
      if (waiting >= WRITES_MAX) {
        throw new WeftError("unavailable", "log.unavailable", `${WRITES_MAX} writes wait already`);
      }
      waiting++;
      const mine = turn.then(() => appendCommit(options, write));
      turn = mine.catch(() => {}); // its caller is told
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
  };
}

/** A commit as it goes out; a repetition sends the same. */
interface Sent {
  readonly payload: Uint8Array;
  readonly expectedRevision: number;
}

function seal<S>({ fold, clock, newId }: WriterOptions<S>, write: Write<S>, draft: Draft): Sent {
  const { revision, root } = fold.head();
  const commit: Commit = create(CommitSchema, {
    ...draft,
    id: newId(),
    mesh: fold.mesh,
    schema: COMMIT_SCHEMA,
    chain: { revision: BigInt(revision), root },
    command: { id: write.commandId, digest: write.digest },
    correlation: draft.correlation || write.commandId,
    causation: draft.causation || write.commandId,
    at: timestampFromMs(clock.now()),
  });
  assert(commit.kind.case !== undefined, "a draft has a kind");
  return { payload: toBinary(CommitSchema, commit), expectedRevision: revision };
}

/** The revision of the commit; undefined if another came first, so that it never can be stored. */
async function send<S>(
  options: WriterOptions<S>,
  write: Write<S>,
  sent: Sent,
): Promise<number | undefined> {
  try {
    return await appendOnce(options, write, sent);
  } catch (error) {
    if (!isCode(error, "log.outcome_unknown")) throw error;
    return await resolveOutcome(options, write, { sent, lost: error });
  }
}

async function appendOnce<S>(
  { journal }: WriterOptions<S>,
  { commandId }: Write<S>,
  { payload, expectedRevision }: Sent,
): Promise<number | undefined> {
  try {
    return await journal.append(payload, { commandId, expectedRevision });
  } catch (error) {
    if (isCode(error, "log.conflict")) return undefined;
    throw error;
  }
}

/** Finds out what became of a commit whose answer was lost, by looking and by sending it again. */
async function resolveOutcome<S>(
  options: WriterOptions<S>,
  write: Write<S>,
  { sent, lost }: { readonly sent: Sent; readonly lost: unknown },
): Promise<number | undefined> {
  for (let tries = 0; tries < RESOLVES_MAX && !write.signal.aborted; tries++) {
    await pause(options, write, RESOLVE_MS * RESOLVE_FACTOR ** tries);
    try {
      await catchUp(options, write);
      const done = findOutcome(options, write);
      return done === undefined ? await appendOnce(options, write, sent) : done.revision;
    } catch (error) {
      if (isCode(error, "log.command_reused")) throw error;
      // Anything else says nothing about the first try.
    }
  }
  throw new WeftError(
    "unavailable",
    "log.outcome_unknown",
    `the log does not say whether command ${write.commandId} was carried out`,
    { cause: lost },
  );
}

/** What the projection knows of this very command. */
function findOutcome<S>(
  { fold, outcomeOf }: WriterOptions<S>,
  { commandId, digest }: Write<S>,
): Written | undefined {
  const outcome = outcomeOf(fold.state, commandId);
  if (outcome === undefined) return undefined;
  if (outcome.digest === Buffer.from(digest).toString("hex")) {
    return { revision: outcome.revision, changed: true };
  }
  throw new WeftError(
    "invalid",
    "log.command_reused",
    `command ${commandId} was another request, carried out as revision ${outcome.revision}`,
  );
}

async function untilCaughtUp<S>({ fold }: WriterOptions<S>, write: Write<S>): Promise<void> {
  const { signal } = write;
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => {
    reject(
      new WeftError(
        "unavailable",
        "log.behind",
        `command ${write.commandId} was called off while this replica read the log`,
      ),
    );
  };
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp);
  try {
    await Promise.race([promise, fold.caughtUp]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/** Waits until the fold has what the log has now. */
async function catchUp<S>(
  { fold, journal }: WriterOptions<S>,
  { signal }: Write<S>,
): Promise<void> {
  await fold.waitFor(await journal.last(), signal);
}

/** The commit is stored: whatever keeps the fold from it, the command must not seem to have failed. */
async function waitForOwn<S>(
  { fold }: WriterOptions<S>,
  { commandId, signal }: Write<S>,
  revision: number,
): Promise<void> {
  try {
    await fold.waitFor(revision, signal);
  } catch (cause) {
    throw new WeftError(
      "unavailable",
      "log.outcome_unknown",
      `command ${commandId} is stored as revision ${revision}, which this replica has not folded`,
      { cause },
    );
  }
}

/** Waits for at least half of the time, the rest at random, or until the write is called off. */
async function pause<S>(
  { random = Math.random, sleep = sleepFor }: WriterOptions<S>,
  { signal }: Write<S>,
  ms: number,
): Promise<void> {
  await sleep(ms * (0.5 + random() / 2), signal);
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Aborted: whoever waits looks at the signal.
  }
}

function givenUp<S>({ commandId }: Write<S>, why: string): WeftError {
  return new WeftError("conflict", "log.conflict", `command ${commandId} ${why}`);
}

function isCode(error: unknown, code: Code): boolean {
  return error instanceof WeftError && error.code === code;
}
