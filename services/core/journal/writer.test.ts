import { createHash } from "node:crypto";
import type { Commit } from "@weft/proto/weft/event/v1/commit_pb.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WeftError } from "../error.ts";
import { silentLogger } from "../runtime/index.ts";
import { type Fold, followLog } from "./fold.ts";
import { ensureGenesis } from "./genesis.ts";
import type { AppendOptions, Journal } from "./journal.ts";
import { createMemoryJournal } from "./memory.ts";
import {
  appendCommit,
  createWriter,
  type Draft,
  type Outcome,
  type WriterOptions,
} from "./writer.ts";

/** A counter and its commands. */
interface Count {
  readonly reasons: readonly string[];
  readonly commands: ReadonlyMap<string, Outcome>;
}

const evolve = ({ reasons, commands }: Count, commit: Commit, revision: number): Count => {
  const { id, digest } = commit.command ?? { id: "", digest: new Uint8Array() };
  const outcome = { revision, digest: Buffer.from(digest).toString("hex") };
  return {
    reasons: [...reasons, commit.reason],
    commands: new Map([...commands, [id, outcome]]),
  };
};

const clock = { now: () => 1_700_000_000_000 };

/** One replica: a fold of its own and what writes need. It waits without time passing. */
async function replica(
  journal: Journal,
): Promise<WriterOptions<Count> & Disposable & { readonly slept: number[] }> {
  const abort = new AbortController();
  const fold: Fold<Count> = await followLog<Count>({
    journal,
    mesh: "default",
    initial: { reasons: [], commands: new Map() },
    evolve,
    signal: abort.signal,
    log: silentLogger,
  });
  let ids = 0;
  const slept: number[] = [];
  return {
    fold,
    journal,
    clock,
    newId: () => `commit-${++ids}`,
    outcomeOf: (state, id) => state.commands.get(id),
    random: () => 0.5,
    async sleep(ms) {
      slept.push(ms);
      await new Promise((done) => setImmediate(done));
    },
    slept,
    [Symbol.dispose]: () => abort.abort(),
  };
}

async function begin(): Promise<Journal> {
  const journal = createMemoryJournal({ name: "test log", incarnation: "life 1" });
  await ensureGenesis(journal, {
    mesh: "default",
    trustDomain: "test",
    clock,
    newId: () => "first",
  });
  return journal;
}

const draft = (reason: string): Draft => ({
  reason,
  kind: { case: "configCommitted", value: { changes: [] } },
});
const digestOf = (text: string) => Uint8Array.from(createHash("sha256").update(text).digest());
const soon = () => AbortSignal.timeout(10_000);
const write = (commandId: string, request = commandId) => ({
  commandId,
  digest: digestOf(request),
  decide: () => draft(request),
  signal: soon(),
});

test("a genesis begins an empty log, once for all replicas", async () => {
  const journal = createMemoryJournal({ incarnation: "life 1" });
  const options = { mesh: "default", trustDomain: "test", clock, newId: () => "first" };
  await Promise.all([1, 2, 3].map(() => ensureGenesis(journal, options)));
  await ensureGenesis(journal, { ...options, trustDomain: "other" });
  expect(await journal.last()).toBe(1);
  using one = await replica(journal);
  await one.fold.caughtUp;
  expect(one.fold.state.reasons).toEqual(["the mesh begins"]);
});

test("what is decided is appended with its chain, and the own fold has it", async () => {
  const journal = await begin();
  using one = await replica(journal);
  const commits: Commit[] = [];
  await one.fold.caughtUp;
  const head = one.fold.head();
  one.fold.subscribe((_, commit) => commits.push(commit));
  expect(await appendCommit(one, write("a"))).toEqual({ revision: 2, changed: true });
  expect(one.fold.state.reasons).toEqual(["the mesh begins", "a"]);
  expect(commits).toMatchObject([
    {
      id: "commit-1",
      mesh: "default",
      schema: 1,
      ignorable: false,
      chain: { revision: 1n, root: Uint8Array.from(head.root) },
      command: { id: "a", digest: digestOf("a") },
      correlation: "a",
      causation: "a",
      at: { seconds: 1_700_000_000n, nanos: 0 },
      reason: "a",
    },
  ]);
});

test("a command with nothing to change writes nothing, and answers the revision it saw", async () => {
  using one = await replica(await begin());
  const nothing = { ...write("a"), decide: () => undefined };
  expect(await appendCommit(one, nothing)).toEqual({ revision: 1, changed: false });
  expect(await one.journal.last()).toBe(1);
});

test("a refusal of the decision reaches the caller, and nothing is written", async () => {
  using one = await replica(await begin());
  const refusal = new WeftError("invalid", "control.refused", "no");
  const decide = () => {
    throw refusal;
  };
  await expect(appendCommit(one, { ...write("a"), decide })).rejects.toBe(refusal);
  expect(await one.journal.last()).toBe(1);
});

test("a command that comes again changes nothing, and another under its id is refused", async () => {
  using one = await replica(await begin());
  await appendCommit(one, write("a"));
  await appendCommit(one, write("b"));
  expect(await appendCommit(one, write("a"))).toEqual({ revision: 2, changed: true });
  await expect(appendCommit(one, write("a", "another request"))).rejects.toMatchObject({
    kind: "invalid",
    code: "log.command_reused",
    rawMessage: "command a was another request, carried out as revision 2",
  });
  expect(await one.journal.last()).toBe(3);
});

test("racing replicas make one chain with every command in it once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 4 }), {
        minLength: 2,
        maxLength: 3,
      }),
      async (plans) => {
        const journal = await begin();
        const replicas = await Promise.all(plans.map(() => replica(journal)));
        await Promise.all(
          plans.flatMap((commands, index) =>
            commands.map((id) =>
              appendCommit(replicas[index] as WriterOptions<Count>, write(`${id}`)),
            ),
          ),
        );
        const last = await journal.last();
        const states = await Promise.all(replicas.map(({ fold }) => fold.waitFor(last, soon())));
        const expected = [...new Set(plans.flat().map(String))].sort();
        for (const { reasons } of states) {
          expect(reasons).toEqual(states[0]?.reasons);
          expect(reasons.slice(1).toSorted()).toEqual(expected);
        }
        expect(last).toBe(expected.length + 1);
        for (const each of replicas) each[Symbol.dispose]();
      },
    ),
    { numRuns: 50 },
  );
});

test("one writer sends its commands one after the other, so that they never meet", async () => {
  using one = await replica(await begin());
  const writer = createWriter(one);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => writer.append(write(`${index}`))),
  );
  expect(results.map(({ revision }) => revision)).toEqual(
    Array.from({ length: 50 }, (_, index) => index + 2),
  );
  expect(one.slept).toEqual([]);
});

test("a writer that loses every race gives up, and has not written", async () => {
  const journal = await begin();
  using one = await replica(journal);
  await one.fold.caughtUp;
  let rivals = 0;
  const raced: Journal = {
    ...journal,
    async append(payload, options) {
      const rival = await replica(journal);
      await rival.fold.caughtUp;
      await appendCommit(rival, write(`rival ${++rivals}`));
      rival[Symbol.dispose]();
      return await journal.append(payload, options);
    },
  };
  await expect(appendCommit({ ...one, journal: raced }, write("a"))).rejects.toMatchObject({
    kind: "conflict",
    code: "log.conflict",
    rawMessage: "command a lost 10 races for the next revision",
  });
  expect(one.slept).toEqual(Array.from({ length: 9 }, (_, index) => 100 * 1.5 ** index * 0.75));
  expect(one.fold.state.commands.has("a")).toBe(false);
});

const unknown = () => new WeftError("unavailable", "log.outcome_unknown", "no answer");

/** A journal whose n-th append fares as the list says; then they go well. */
function faulty(
  journal: Journal,
  faults: readonly ("lost answer" | "lost write" | "away")[],
): Journal {
  const left = [...faults];
  return {
    ...journal,
    async append(payload: Uint8Array, options: AppendOptions) {
      const fault = left.shift();
      if (fault === "away") throw new WeftError("unavailable", "log.unavailable", "away");
      if (fault === "lost write") throw unknown();
      const revision = await journal.append(payload, options);
      if (fault === "lost answer") throw unknown();
      return revision;
    },
  };
}

test("a lost answer is looked up, and the commit is there once", async () => {
  const journal = await begin();
  using one = await replica(journal);
  const options = { ...one, journal: faulty(journal, ["lost answer"]) };
  expect(await appendCommit(options, write("a"))).toEqual({ revision: 2, changed: true });
  expect(await journal.last()).toBe(2);
  expect(one.slept).toEqual([375]);
});

test("a lost write is sent again, the same bytes", async () => {
  const journal = await begin();
  using one = await replica(journal);
  const options = { ...one, journal: faulty(journal, ["lost write", "away", "lost write"]) };
  const ids: string[] = [];
  one.fold.subscribe((_, commit) => ids.push(commit.id));
  expect(await appendCommit(options, write("a"))).toEqual({ revision: 2, changed: true });
  expect(ids).toEqual(["commit-1"]);
});

test("a lost write that another overtook is decided again", async () => {
  const journal = await begin();
  using one = await replica(journal);
  using rival = await replica(journal);
  await rival.fold.caughtUp;
  let appends = 0;
  const overtaken: Journal = {
    ...journal,
    async append(payload, options) {
      if (++appends > 1) return await journal.append(payload, options);
      await appendCommit(rival, write("rival"));
      throw unknown();
    },
  };
  expect(await appendCommit({ ...one, journal: overtaken }, write("a"))).toEqual({
    revision: 3,
    changed: true,
  });
  expect(one.fold.state.reasons).toEqual(["the mesh begins", "rival", "a"]);
});

test("an outcome that stays unknown is reported as unknown, with the command id", async () => {
  const journal = await begin();
  using one = await replica(journal);
  const options = { ...one, journal: faulty(journal, Array(20).fill("lost write")) };
  await expect(appendCommit(options, write("a"))).rejects.toMatchObject({
    kind: "unavailable",
    code: "log.outcome_unknown",
    rawMessage: "the log does not say whether command a was carried out",
  });
});

test("without NATS a write is refused at once, and nothing is kept for later", async () => {
  const journal = await begin();
  using one = await replica(journal);
  const options = { ...one, journal: faulty(journal, ["away"]) };
  await expect(appendCommit(options, write("a"))).rejects.toMatchObject({
    code: "log.unavailable",
  });
  expect([one.slept, await journal.last()]).toEqual([[], 1]);
});

test("a frozen fold refuses writes with its reason", async () => {
  const journal = await begin();
  using one = await replica(journal);
  await one.fold.caughtUp;
  await journal.append(Uint8Array.of(0xff), { commandId: "broken" });
  await expect(one.fold.waitFor(2, soon())).rejects.toMatchObject({ code: "log.frozen" });
  await expect(appendCommit(one, write("a"))).rejects.toBe(one.fold.frozen);
  expect(await journal.last()).toBe(2);
});

test("a write that is called off before it begins is not sent", async () => {
  using one = await replica(await begin());
  const aborted = { ...write("a"), signal: AbortSignal.abort() };
  await expect(appendCommit(one, aborted)).rejects.toMatchObject({ code: "log.behind" });
  expect(await one.journal.last()).toBe(1);
});
