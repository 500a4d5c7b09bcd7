import { createHash } from "node:crypto";
// biome-ignore lint/correctness/noUndeclaredDependencies: only tests import the contract.
import { describe, expect, test } from "vitest";
import {
  BLOB_BYTES_MAX,
  type Blobs,
  type Entry,
  type Journal,
  PAYLOAD_BYTES_MAX,
} from "./journal.ts";

/** A log made for one test. */
export interface OpenedJournal extends AsyncDisposable {
  /** Empty, and no other test's. */
  readonly journal: Journal;
}

/** What every journal keeps, whatever it stores on. `open` makes an empty one for each test. */
export function journalContract(name: string, open: () => Promise<OpenedJournal>): void {
  describe(`${name} keeps the journal's contract`, () => {
    appending(open);
    contending(open);
    tailing(open);
  });
}

function appending(open: () => Promise<OpenedJournal>): void {
  test("an empty log is at revision 0, and each append answers the next one", async () => {
    await using opened = await open();
    const { journal } = opened;
    expect(await journal.last()).toBe(0);
    expect(await journal.append(bytes("a"), { commandId: "1", expectedRevision: 0 })).toBe(1);
    expect(await journal.append(bytes("b"), { commandId: "2", expectedRevision: 1 })).toBe(2);
    expect(await journal.append(bytes("c"), { commandId: "3" })).toBe(3);
    expect(await journal.last()).toBe(3);
    expect(await read(journal, 1, 3)).toEqual(["1 a", "2 b", "3 c"]);
  });

  test("payloads come back byte by byte, the empty one and large ones too", async () => {
    await using opened = await open();
    const { journal } = opened;
    const payloads = [
      new Uint8Array(),
      Uint8Array.from({ length: 256 }, (_, index) => index),
      new Uint8Array(PAYLOAD_BYTES_MAX).fill(7),
    ];
    for (const [index, payload] of payloads.entries()) {
      await journal.append(payload, { commandId: `${index}`, expectedRevision: index });
    }
    const entries = await take(journal, 1, payloads.length);
    expect(entries.map((entry) => digest(entry.payload))).toEqual(payloads.map(digest));
  });

  test("a payload over the limit is refused, and nothing is stored", async () => {
    await using opened = await open();
    const { journal } = opened;
    const payload = new Uint8Array(PAYLOAD_BYTES_MAX + 1);
    await expect(journal.append(payload, { commandId: "1" })).rejects.toMatchObject({
      kind: "invalid",
      code: "log.too_large",
    });
    expect(await journal.last()).toBe(0);
  });

  test("a command id that cannot travel in a header is refused", async () => {
    await using opened = await open();
    const { journal } = opened;
    for (const commandId of ["", " a", "a ", "a\nNats-Rollup: all", "é", "a".repeat(257)]) {
      await expect(journal.append(bytes("a"), { commandId })).rejects.toMatchObject({
        kind: "invalid",
        code: "log.bad_command_id",
      });
    }
    expect(await journal.last()).toBe(0);
  });

  test("a command that is sent again is stored once, and answers its first revision", async () => {
    await using opened = await open();
    const { journal } = opened;
    const first = { commandId: "1", expectedRevision: 0 };
    expect(await journal.append(bytes("a"), first)).toBe(1);
    expect(await journal.append(bytes("a"), first)).toBe(1);
    expect(await journal.append(bytes("b"), { commandId: "2", expectedRevision: 1 })).toBe(2);
    // The same bytes, id and expectation as the first time, long overtaken.
    expect(await journal.append(bytes("a"), first)).toBe(1);
    // The same id, sent by someone who has caught up.
    expect(await journal.append(bytes("a"), { commandId: "1", expectedRevision: 2 })).toBe(1);
    expect(await journal.append(bytes("a"), { commandId: "1" })).toBe(1);
    expect(await read(journal, 1, 2)).toEqual(["1 a", "2 b"]);
    expect(await journal.last()).toBe(2);
  });
}

function contending(open: () => Promise<OpenedJournal>): void {
  test("an append behind another revision than the last is a conflict", async () => {
    await using opened = await open();
    const { journal } = opened;
    await journal.append(bytes("a"), { commandId: "1", expectedRevision: 0 });
    for (const expectedRevision of [0, 2]) {
      const late = { commandId: `late ${expectedRevision}`, expectedRevision };
      await expect(journal.append(bytes("b"), late)).rejects.toMatchObject({
        kind: "conflict",
        code: "log.conflict",
      });
    }
    expect(await journal.last()).toBe(1);
  });

  test("a command that met a conflict is stored when it comes again with the last revision", async () => {
    await using opened = await open();
    const { journal } = opened;
    await journal.append(bytes("a"), { commandId: "1", expectedRevision: 0 });
    await expect(
      journal.append(bytes("b"), { commandId: "2", expectedRevision: 0 }),
    ).rejects.toMatchObject({ code: "log.conflict" });
    expect(await journal.append(bytes("b"), { commandId: "2", expectedRevision: 1 })).toBe(2);
    expect(await read(journal, 1, 2)).toEqual(["1 a", "2 b"]);
  });

  test("of many contenders for a revision one wins, and the others learn it", async () => {
    await using opened = await open();
    const { journal } = opened;
    const rounds = 20;
    const contenders = 8;
    const winners: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: contenders }, async (_, index) => {
          const commandId = `${round}-${index}`;
          const options = { commandId, expectedRevision: round };
          const won = journal.append(bytes(commandId), options);
          return await won.catch((error: { code: string }) => error.code);
        }),
      );
      expect(outcomes.filter((each) => each !== "log.conflict")).toEqual([round + 1]);
      winners.push(`${round + 1} ${round}-${outcomes.indexOf(round + 1)}`);
    }
    expect(await read(journal, 1, rounds)).toEqual(winners);
    expect(await journal.last()).toBe(rounds);
  });
}

function tailing(open: () => Promise<OpenedJournal>): void {
  test("a tail begins in the middle and sees what comes, nothing lost and nothing twice", async () => {
    await using opened = await open();
    const { journal } = opened;
    for (let index = 1; index <= 5; index++) {
      await journal.append(bytes(`${index}`), { commandId: `${index}` });
    }
    const tail = read(journal, 4, 300);
    for (let index = 6; index <= 303; index++) {
      await journal.append(bytes(`${index}`), { commandId: `${index}` });
    }
    const expected = Array.from({ length: 300 }, (_, index) => `${index + 4} ${index + 4}`);
    expect(await tail).toEqual(expected);
  });

  test("a tail may begin behind the end, and waits there", async () => {
    await using opened = await open();
    const { journal } = opened;
    const tail = read(journal, 3, 1);
    for (const letter of ["a", "b", "c"]) {
      await journal.append(bytes(letter), { commandId: letter });
    }
    expect(await tail).toEqual(["3 c"]);
  });

  test("two tails see the same entries, and when the broker stored them", async () => {
    await using opened = await open();
    const { journal } = opened;
    const tails = [take(journal, 1, 3), take(journal, 1, 3)];
    for (const letter of ["a", "b", "c"]) {
      await journal.append(bytes(letter), { commandId: letter });
    }
    const [left = [], right = []] = await Promise.all(tails);
    expect(left).toEqual(right);
    const times = left.map((entry) => entry.storedAtMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThan(Date.UTC(2020));
  });

  test("an abort ends a tail that waits, and one that has more to read", async () => {
    await using opened = await open();
    const { journal } = opened;
    await journal.append(bytes("a"), { commandId: "1" });
    await journal.append(bytes("b"), { commandId: "2" });
    for (const until of [1, 2]) {
      const abort = new AbortController();
      const seen: number[] = [];
      for await (const entry of journal.tail({ from: 1, signal: abort.signal })) {
        seen.push(entry.revision);
        if (entry.revision === until) abort.abort();
      }
      expect(seen).toEqual(until === 1 ? [1] : [1, 2]);
    }
    const waiting = new AbortController();
    const tail = journal.tail({ from: 3, signal: waiting.signal })[Symbol.asyncIterator]();
    const next = tail.next();
    waiting.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
}

/** Blobs made for one test. */
export interface OpenedBlobs extends AsyncDisposable {
  readonly blobs: Blobs;
}

/** What every blob store keeps. */
export function blobsContract(name: string, open: () => Promise<OpenedBlobs>): void {
  describe(`${name} keep the contract of blobs`, () => {
    test("bytes come back by their SHA-256, however large", async () => {
      await using opened = await open();
      const { blobs } = opened;
      for (const size of [0, 1, 128 * 1024, 3_000_001]) {
        const blob = Uint8Array.from({ length: size }, (_, index) => index % 251);
        expect(await blobs.put(blob)).toBe(digest(blob));
        expect(digest(await blobs.get(digest(blob)))).toBe(digest(blob));
      }
    });

    test("the same bytes may be stored many times at once, and again", async () => {
      await using opened = await open();
      const { blobs } = opened;
      const blob = new Uint8Array(300_000).fill(3);
      const puts = await Promise.all(Array.from({ length: 4 }, () => blobs.put(blob)));
      expect([...puts, await blobs.put(blob)]).toEqual(Array(5).fill(digest(blob)));
      expect(digest(await blobs.get(digest(blob)))).toBe(digest(blob));
    });

    test("a digest that nobody stored is missing", async () => {
      await using opened = await open();
      const absent = digest(bytes("nobody stored this"));
      await expect(opened.blobs.get(absent)).rejects.toMatchObject({
        kind: "missing",
        code: "log.blob_missing",
      });
    });

    test("a blob over the limit is refused", async () => {
      await using opened = await open();
      await expect(opened.blobs.put(new Uint8Array(BLOB_BYTES_MAX + 1))).rejects.toMatchObject({
        code: "log.too_large",
      });
    });
  });
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function digest(payload: Uint8Array): string {
  return createHash("sha256").update(payload).digest("hex");
}

/** The next `count` entries from a revision on. */
async function take(journal: Journal, from: number, count: number): Promise<Entry[]> {
  const abort = new AbortController();
  const entries: Entry[] = [];
  for await (const entry of journal.tail({ from, signal: abort.signal })) {
    entries.push(entry);
    if (entries.length === count) break;
  }
  abort.abort();
  return entries;
}

/** The same as lines: revision and text. */
async function read(journal: Journal, from: number, count: number): Promise<string[]> {
  const entries = await take(journal, from, count);
  return entries.map(({ revision, payload }) => `${revision} ${new TextDecoder().decode(payload)}`);
}
