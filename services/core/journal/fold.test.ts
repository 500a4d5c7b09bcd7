import { create, toBinary } from "@bufbuild/protobuf";
import { type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WeftError } from "../error.ts";
import { silentLogger } from "../runtime/index.ts";
import { type Fold, followLog } from "./fold.ts";
import type { Journal, LogReader } from "./journal.ts";
import { createMemoryJournal } from "./memory.ts";
import { appendLeaf, emptyTree, hashLeaf, rootOf } from "./merkle.ts";
import type { Draft } from "./writer.ts";

/** A commit, and what a wrong writer says differently. */
type Init = Draft & {
  readonly mesh?: string;
  readonly schema?: number;
  readonly chain?: { readonly revision: bigint };
};

const log = { name: "test log", incarnation: "life 1" };
const genesis: Init = {
  reason: "begin",
  kind: { case: "genesis", value: { incarnation: log.incarnation, trustDomain: "test" } },
};
const change = (reason: string): Init => ({
  reason,
  kind: { case: "configCommitted", value: { changes: [] } },
});

/** Commits as a right writer stores them, except for what a commit says otherwise itself. */
function chained(commits: readonly Init[]): Uint8Array[] {
  let tree = emptyTree;
  return commits.map((init, index) => {
    const chain = { revision: BigInt(index), root: rootOf(tree) };
    const commit = create(CommitSchema, { mesh: "default", schema: 1, chain, ...init });
    const payload = toBinary(CommitSchema, commit);
    tree = appendLeaf(tree, hashLeaf(payload));
    return payload;
  });
}

/** The state of these tests: what was folded, in order. */
const evolve = (state: readonly string[], commit: Commit, revision: number): readonly string[] => [
  ...state,
  `${revision} ${commit.reason}`,
];

async function follow(journal: LogReader): Promise<Fold<readonly string[]> & Disposable> {
  const abort = new AbortController();
  const fold = await followLog<readonly string[]>({
    journal,
    mesh: "default",
    initial: [],
    evolve,
    signal: abort.signal,
    log: silentLogger,
  });
  return Object.assign(Object.create(fold), { [Symbol.dispose]: () => abort.abort() });
}

const soon = () => AbortSignal.timeout(10_000);

/** What a fold of this log ends with: the error, and the state that stays served. */
async function freezeOf(journal: LogReader): Promise<readonly [string, readonly string[]]> {
  using fold = await follow(journal);
  const error: WeftError = await fold.waitFor(Number.MAX_SAFE_INTEGER, soon()).then(
    () => expect.unreachable("the fold did not freeze"),
    (cause: WeftError) => cause,
  );
  expect(error).toMatchObject({ kind: "unavailable", code: "log.frozen" });
  expect(fold.frozen).toBe(error);
  await expect(fold.waitFor(99, soon())).rejects.toBe(error);
  return [error.rawMessage, fold.state];
}

const stored = (...commits: Init[]) => createMemoryJournal({ ...log, payloads: chained(commits) });

test("a fold has what the log held at its start, and then what comes", async () => {
  const payloads = chained([genesis, change("a"), change("b")]);
  const journal = createMemoryJournal({ ...log, payloads: payloads.slice(0, 2) });
  using fold = await follow(journal);
  await fold.caughtUp;
  expect(fold.state).toEqual(["1 begin", "2 a"]);
  const told: unknown[] = [];
  const stop = fold.subscribe((state, commit, revision) => {
    told.push([state, commit.reason, revision]);
  });
  await journal.append(payloads[2] as Uint8Array, { commandId: "b", expectedRevision: 2 });
  expect(await fold.waitFor(3, soon())).toEqual(["1 begin", "2 a", "3 b"]);
  expect(told).toEqual([[["1 begin", "2 a", "3 b"], "b", 3]]);
  const tree = payloads.map(hashLeaf).reduce(appendLeaf, emptyTree);
  expect(fold.head()).toEqual({ revision: 3, root: rootOf(tree) });
  stop();
  await journal.append(chained([genesis, change("a"), change("b"), change("c")])[3] as Uint8Array, {
    commandId: "c",
  });
  await fold.waitFor(4, soon());
  expect(told).toHaveLength(1);
});

test("an empty log is caught up with at once, at revision 0", async () => {
  using fold = await follow(createMemoryJournal(log));
  await fold.caughtUp;
  expect([fold.revision, fold.state, fold.frozen]).toEqual([0, [], undefined]);
  expect(fold.head()).toEqual({ revision: 0, root: rootOf(emptyTree) });
});

test("a wait ends with its signal, and with the fold", async () => {
  using fold = await follow(createMemoryJournal(log));
  const abort = new AbortController();
  const wait = fold.waitFor(1, abort.signal);
  abort.abort();
  const behind = { kind: "unavailable", code: "log.behind" };
  await expect(wait).rejects.toMatchObject({
    ...behind,
    rawMessage: "revision 1 is not here yet, only 0",
  });
  await expect(fold.waitFor(1, AbortSignal.abort())).rejects.toMatchObject(behind);
  const last = fold.waitFor(1, soon());
  fold[Symbol.dispose]();
  await expect(last).rejects.toMatchObject({ ...behind, rawMessage: "test log is let go" });
});

const reasons = fc.array(fc.string({ maxLength: 5 }), { maxLength: 20 });

test("every prefix of a log folds, and folding on gives what folding at once gives", async () => {
  await fc.assert(
    fc.asyncProperty(reasons, fc.nat(), async (texts, cut) => {
      const payloads = chained([genesis, ...texts.map(change)]);
      const size = cut % (payloads.length + 1);
      const journal = createMemoryJournal({ ...log, payloads: payloads.slice(0, size) });
      using live = await follow(journal);
      await live.caughtUp;
      expect(live.state).toHaveLength(size);
      for (const [index, payload] of payloads.entries()) {
        if (index >= size) await journal.append(payload, { commandId: `${index}` });
      }
      await live.waitFor(payloads.length, soon());
      using replayed = await follow(journal);
      await replayed.caughtUp;
      expect(live.state).toEqual(replayed.state);
      expect(live.head()).toEqual(replayed.head());
    }),
  );
});

test("a changed byte anywhere freezes the fold before anything is built on it", async () => {
  const payloads = chained([genesis, change("a"), change("b"), change("c")]);
  for (let at = 0; at < payloads.length - 1; at++) {
    const changed = payloads.map((payload, index) =>
      index === at ? withReason(payload, "forged") : payload,
    );
    const journal = createMemoryJournal({ ...log, payloads: changed });
    const [message, state] = await freezeOf(journal);
    expect(message).toMatch(
      /^revision 4 of test log stands on root \w{64}, but the commits before it have root \w{64}$/,
    );
    expect(state).toHaveLength(3);
  }
});

test("live, the first commit behind a changed one freezes the fold", async () => {
  const [first, second, third] = chained([genesis, change("a"), change("b")]) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const journal = createMemoryJournal({ ...log, payloads: [first] });
  using fold = await follow(journal);
  await journal.append(withReason(second, "forged"), { commandId: "2" });
  await journal.append(third, { commandId: "3" });
  await expect(fold.waitFor(3, soon())).rejects.toMatchObject({ code: "log.frozen" });
  expect(fold.state).toEqual(["1 begin", "2 forged"]);
});

test("a gap freezes the fold", async () => {
  const payloads = chained([genesis, change("a"), change("b")]);
  const whole = createMemoryJournal({ ...log, payloads });
  const holed: LogReader = {
    ...whole,
    async *tail(options) {
      for await (const entry of whole.tail(options)) if (entry.revision !== 2) yield entry;
    },
  };
  expect(await freezeOf(holed)).toEqual(["test log goes from revision 1 to 3", ["1 begin"]]);
});

test("what is of another log, or unknown, freezes the fold and says so", async () => {
  const cases: readonly (readonly [Journal, string])[] = [
    [
      stored(genesis, { ...change("a"), mesh: "other" }),
      "revision 2 of test log is of mesh other, not of default",
    ],
    [
      stored({ kind: { case: "genesis", value: { incarnation: "life 2", trustDomain: "" } } }),
      "test log is incarnation life 1, but its genesis is of life 2",
    ],
    [stored(change("a")), "test log does not begin with a genesis"],
    [stored(genesis, genesis), "revision 2 of test log is a second genesis"],
    [
      stored(genesis, { ...change("a"), chain: { revision: 7n } }),
      "revision 2 of test log stands on revision 7, not on 1",
    ],
    [
      stored(genesis, { ...change("a"), schema: 2 }),
      "revision 2 of test log has schema 2 and kind configCommitted; this program reads schema 1",
    ],
    [
      stored(genesis, { reason: "a" }),
      "revision 2 of test log has schema 1 and kind unknown; this program reads schema 1",
    ],
    [
      createMemoryJournal({ ...log, payloads: [Uint8Array.of(0xff)] }),
      "revision 1 of test log is not a commit",
    ],
  ];
  for (const [journal, message] of cases) expect((await freezeOf(journal))[0]).toBe(message);
});

test("a commit that may be passed over is not folded, but counted", async () => {
  const unknown = { reason: "from the future", schema: 2, ignorable: true };
  using fold = await follow(stored(genesis, unknown, change("b")));
  await fold.caughtUp;
  expect(fold.state).toEqual(["1 begin", "3 b"]);
  expect(fold.revision).toBe(3);
});

test("a commit that does not fold freezes the fold, with the last good state", async () => {
  const abort = new AbortController();
  const fold = await followLog({
    journal: stored(genesis, change("a"), change("b")),
    mesh: "default",
    initial: 0,
    evolve: (state, { reason }) => {
      if (reason === "b") throw new Error("b is too much");
      return state + 1;
    },
    signal: abort.signal,
    log: silentLogger,
  });
  await expect(fold.caughtUp).rejects.toMatchObject({
    rawMessage: "test log cannot be followed past revision 2: b is too much",
  });
  expect([fold.state, fold.revision]).toEqual([2, 2]);
  abort.abort();
});

test("a closed connection ends the fold, but freezes nothing", async () => {
  const whole = stored(genesis, change("a"));
  const closed = new WeftError("unavailable", "log.unavailable", "the connection is closed");
  const closing: LogReader = {
    ...whole,
    async *tail(options) {
      for await (const entry of whole.tail(options)) {
        yield entry;
        if (entry.revision === 2) throw closed;
      }
    },
  };
  using fold = await follow(closing);
  await expect(fold.waitFor(3, soon())).rejects.toBe(closed);
  expect([fold.frozen, fold.state]).toEqual([undefined, ["1 begin", "2 a"]]);
});

/** The same commit with another reason, as one who edits the store would leave it. */
function withReason(payload: Uint8Array, reason: string): Uint8Array {
  // The last of a repeated field counts: tag 8, length-delimited, then the text.
  const text = new TextEncoder().encode(reason);
  return Uint8Array.from([...payload, (8 << 3) | 2, text.length, ...text]);
}
