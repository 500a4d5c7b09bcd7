// Prints what the log costs on a real nats-server: appends, replay, and the way from a command to
// its own projection.
//
//   node test/bench/journal.ts [commits]

import { createHash, randomUUID } from "node:crypto";
import {
  connectNats,
  createWriter,
  ensureGenesis,
  followLog,
  type Journal,
  openConfigLog,
} from "@weft/core/journal";
import { silentLogger, systemClock } from "@weft/core/runtime";
import { startNats } from "../world/nats.ts";

/** As large as one resource of a mesh with its metadata. */
const PAYLOAD_BYTES = 700;
const commits = Number(process.argv[2] ?? 3_000);

await using server = await startNats();
const nats = await connectNats(server.url, { name: "bench" });
await appends(await openConfigLog(nats, "appends"));
await issuances(await openConfigLog(nats, "issuances"));
await commands(await openConfigLog(nats, "default"));
await nats.close();

/** One after the other, each expecting the one before. */
async function appends(journal: Journal): Promise<void> {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const times: number[] = [];
  for (let index = 0; index < commits; index++) {
    const start = performance.now();
    await journal.append(payload, { commandId: `${index}`, expectedRevision: index });
    times.push(performance.now() - start);
  }
  report(`append ${PAYLOAD_BYTES} B, sync always`, times);
}

/** 64 at a time, without an expected revision, as the CA appends. */
async function issuances(journal: Journal): Promise<void> {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const start = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < commits) await journal.append(payload, { commandId: `${next++}` });
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  rate("append, 64 in flight", performance.now() - start);
}

/** Decided, appended and folded; then folded again from the first commit. */
async function commands(journal: Journal): Promise<void> {
  const newId = randomUUID;
  await ensureGenesis(journal, {
    mesh: "default",
    trustDomain: "bench",
    clock: systemClock,
    newId,
  });
  const abort = new AbortController();
  const follow = () =>
    followLog<number>({
      journal,
      mesh: "default",
      initial: 0,
      evolve: (count) => count + 1,
      signal: abort.signal,
      log: silentLogger,
    });
  const fold = await follow();
  const outcomeOf = () => undefined;
  const writer = createWriter({ fold, journal, clock: systemClock, newId, outcomeOf });
  const times: number[] = [];
  for (let index = 0; index < commits; index++) {
    const commandId = `${index}`;
    const digest = createHash("sha256").update(commandId).digest();
    const reason = "x".repeat(PAYLOAD_BYTES);
    const start = performance.now();
    await writer.append({
      commandId,
      digest,
      decide: () => ({ reason, kind: { case: "configCommitted", value: { changes: [] } } }),
      signal: AbortSignal.timeout(30_000),
    });
    times.push(performance.now() - start);
  }
  report("command to own projection", times);
  const start = performance.now();
  const replayed = await follow();
  await replayed.caughtUp;
  rate("replay with decoding and chain", performance.now() - start);
  abort.abort();
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  console.log(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

function rate(what: string, ms: number): void {
  console.log(`${what}: ${Math.round(commits / (ms / 1_000))} a second`);
}
