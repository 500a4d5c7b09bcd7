import { expect, test } from "vitest";
import { blobsContract, journalContract } from "./contract.ts";
import { createMemoryBlobs, createMemoryCaLog, createMemoryJournal } from "./memory.ts";

journalContract("a journal in memory", async () => ({
  journal: createMemoryJournal(),
  async [Symbol.asyncDispose]() {},
}));

blobsContract("blobs in memory", async () => ({
  blobs: createMemoryBlobs(),
  async [Symbol.asyncDispose]() {},
}));

test("the CA's subjects have one order, and each expects its own last revision", async () => {
  const log = createMemoryCaLog({ clock: { now: () => 5 } });
  const payload = Uint8Array.of(1);
  expect(await log.authority.append(payload, { commandId: "a", expectedRevision: 0 })).toBe(1);
  expect(await log.issued.append(payload, { commandId: "b" })).toBe(2);
  expect(await log.authority.append(payload, { commandId: "c", expectedRevision: 1 })).toBe(3);
  expect([await log.issued.last(), await log.authority.last(), await log.all.last()]).toEqual([
    2, 3, 3,
  ]);
  const seen: unknown[] = [];
  const { signal } = new AbortController();
  for await (const entry of log.all.tail({ from: 1, signal })) {
    seen.push(entry);
    if (entry.revision === 3) break;
  }
  expect(seen).toEqual([
    { revision: 1, subject: "authority", payload, storedAtMs: 5 },
    { revision: 2, subject: "issued", payload, storedAtMs: 5 },
    { revision: 3, subject: "authority", payload, storedAtMs: 5 },
  ]);
});
