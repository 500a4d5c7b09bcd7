import { createHash, randomUUID } from "node:crypto";
import { DiscardPolicy, jetstreamManager } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import {
  appendCommit,
  connectNats,
  createNatsBlobs,
  ensureGenesis,
  type Fold,
  followLog,
  isConnected,
  type Journal,
  type OpenLogOptions,
  type Outcome,
  onDisconnect,
  openCaLog,
  openConfigLog,
  type Write,
  type WriterOptions,
} from "@weft/core/journal";
import { type NatsServer, silentLogger, systemClock } from "@weft/core/runtime";
import type { Commit } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { standStill, startNats } from "./world/nats.ts";

/** Short, so that lost answers are noticed soon. */
const quick: OpenLogOptions = { timeoutMs: 1_000, heartbeatMs: 500 };
const soon = () => AbortSignal.timeout(40_000);
const bytes = (text: string) => new TextEncoder().encode(text);

/** Ids of the commands in the order of the log, and where each stands. */
interface Commands {
  readonly order: readonly string[];
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

const evolve = ({ order, outcomes }: Commands, commit: Commit, revision: number): Commands => {
  const { id, digest } = commit.command ?? { id: "", digest: new Uint8Array() };
  const outcome = { revision, digest: Buffer.from(digest).toString("hex") };
  return { order: [...order, id], outcomes: new Map([...outcomes, [id, outcome]]) };
};

async function follow(journal: Journal, mesh: string): Promise<Fold<Commands> & Disposable> {
  const abort = new AbortController();
  const fold = await followLog<Commands>({
    journal,
    mesh,
    initial: { order: [], outcomes: new Map() },
    evolve,
    signal: abort.signal,
    log: silentLogger,
  });
  await fold.caughtUp;
  return Object.assign(Object.create(fold), { [Symbol.dispose]: () => abort.abort() });
}

async function writerOf(
  journal: Journal,
  fold: Fold<Commands>,
  mesh: string,
): Promise<WriterOptions<Commands>> {
  const newId = randomUUID;
  await ensureGenesis(journal, { mesh, trustDomain: "test", clock: systemClock, newId });
  const outcomeOf = ({ outcomes }: Commands, id: string) => outcomes.get(id);
  return { fold, journal, clock: systemClock, newId, outcomeOf };
}

const write = (commandId: string): Write<Commands> => ({
  commandId,
  digest: createHash("sha256").update(commandId).digest(),
  decide: () => ({ kind: { case: "configCommitted", value: { changes: [] } } }),
  signal: soon(),
});

describe("when the server dies or stands still", () => {
  test("kill -9 loses nothing that was acknowledged, and the chain holds", async () => {
    await using server = await startNats({ restart: true });
    const nats = await connectNats(server.url, { name: "kill" });
    const journal = await openConfigLog(nats, "kill", quick);
    using live = await follow(journal, "kill");
    const options = await writerOf(journal, live, "kill");
    const acknowledged = new Map<string, number>();
    for (let index = 0; index < 90; index++) {
      const killed = index % 30 === 15;
      const revision = await carryOut(nats, options, {
        commandId: `${index}`,
        sent: () => killed && process.kill(server.pid as number, "SIGKILL"),
      });
      acknowledged.set(`${index}`, revision);
    }
    using replayed = await follow(journal, "kill");
    expect(replayed.frozen).toBeUndefined();
    expect(replayed.state).toEqual(live.state);
    expect(replayed.head()).toEqual(live.head());
    expect(replayed.state.order.slice(1)).toEqual([...acknowledged.keys()]);
    for (const [id, revision] of acknowledged) {
      expect(replayed.state.outcomes.get(id)?.revision).toBe(revision);
    }
    await nats.close();
  });

  test("kill -9 in the middle of parallel writes loses none that was acknowledged", async () => {
    await using server = await startNats({ restart: true });
    const nats = await connectNats(server.url, { name: "parallel" });
    const { issued } = await openCaLog(nats, "parallel", quick);
    const acknowledged = new Map<string, number>();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 1_000) {
        const id = `${next++}`;
        if (next === 500) process.kill(server.pid as number, "SIGKILL");
        try {
          acknowledged.set(id, await issued.append(bytes(id), { commandId: id }));
        } catch {
          await untilConnected(nats); // not acknowledged, so it may be there or not
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    expect(acknowledged.size).toBeGreaterThan(900);
    const last = await issued.last();
    const stored = new Map<string, number>();
    for await (const { revision, payload } of issued.tail({ from: 1, signal: soon() })) {
      stored.set(new TextDecoder().decode(payload), revision);
      if (revision === last) break;
    }
    expect(stored.size).toBe(last);
    for (const [id, revision] of acknowledged) expect(stored.get(id)).toBe(revision);
    await nats.close();
  });

  test("a write to a server that stands still is found when it goes on, once", async () => {
    await using server = await startNats();
    const nats = await connectNats(server.url, { name: "pause" });
    const journal = await openConfigLog(nats, "pause", quick);
    using fold = await follow(journal, "pause");
    const options = await writerOf(journal, fold, "pause");
    await appendCommit(options, write("before"));
    await standStill(server);
    let goesOn = 0;
    const sleep = async (): Promise<void> => {
      // The writer waits: it has got no answer.
      if (goesOn++ === 0) process.kill(server.pid as number, "SIGCONT");
    };
    expect(await appendCommit({ ...options, sleep }, write("paused"))).toEqual({
      revision: 3,
      changed: true,
    });
    expect(goesOn).toBeGreaterThan(0);
    await appendCommit(options, write("after"));
    expect(fold.state.order.slice(1)).toEqual(["before", "paused", "after"]);
    expect(await journal.last()).toBe(4);
    await nats.close();
  });

  test("while NATS is away writes are refused, and not sent when it is back", async () => {
    await using server = await startNats({ restart: true });
    const nats = await connectNats(server.url, { name: "away" });
    const journal = await openConfigLog(nats, "away", quick);
    const lost = new Promise<void>((done) => onDisconnect(nats, done));
    process.kill(server.pid as number, "SIGKILL");
    await lost;
    expect(isConnected(nats)).toBe(false);
    const refusal = { kind: "unavailable", code: "log.unavailable" };
    await expect(journal.append(bytes("a"), { commandId: "a" })).rejects.toMatchObject(refusal);
    await expect(journal.last()).rejects.toMatchObject(refusal);
    await untilConnected(nats);
    expect(await journal.append(bytes("b"), { commandId: "b", expectedRevision: 0 })).toBe(1);
    await nats.close();
    await expect(journal.append(bytes("c"), { commandId: "c" })).rejects.toMatchObject(refusal);
  });
});

describe("when the stream is not what it was", () => {
  const world = new AsyncDisposableStack();
  let server: NatsServer;
  let nats: NatsConnection;

  beforeAll(async () => {
    server = world.use(await startNats());
    nats = await connectNats(server.url, { name: "streams" });
    world.defer(() => nats.close());
  });
  afterAll(() => world.disposeAsync());

  /** A log with entries, and the error that its reader ends with after something was done to it. */
  async function readerEnds(
    mesh: string,
    change: (stream: string) => Promise<unknown>,
  ): Promise<string> {
    const journal = await openConfigLog(nats, mesh, { ...quick, newId: () => "life 1" });
    for (const id of ["1", "2", "3", "4"]) await journal.append(bytes(id), { commandId: id });
    let seen = 0;
    try {
      for await (const entry of journal.tail({ from: 1, signal: soon() })) {
        seen = entry.revision;
        if (seen === 4) await change(journal.name);
      }
    } catch (error) {
      expect(error).toMatchObject({ kind: "unavailable", code: "log.frozen" });
      expect(seen).toBe(4);
      return (error as { rawMessage: string }).rawMessage;
    }
    return expect.unreachable(`the reader of ${mesh} did not end`);
  }

  const remove = async (stream: string) => (await jetstreamManager(nats)).streams.delete(stream);

  test("a reader of a deleted stream ends", async () => {
    expect(await readerEnds("deleted", remove)).toBe("stream WEFT_LOG_deleted is gone");
  });

  test("a reader of a recreated stream ends, also where that one is longer", async () => {
    const message = await readerEnds("again", async (stream) => {
      await remove(stream);
      const other = await openConfigLog(nats, "again", { newId: () => "life 2" });
      for (let index = 0; index < 9; index++) {
        await other.append(bytes("x"), { commandId: `other ${index}` });
      }
    });
    expect(message).toBe("stream WEFT_LOG_again was incarnation life 1 and is life 2 now");
  });

  test("a reader of a stream that came back shorter from a backup ends", async () => {
    const message = await readerEnds("shorter", async (stream) => {
      await remove(stream);
      const same = await openConfigLog(nats, "shorter", { newId: () => "life 1" });
      await same.append(bytes("1"), { commandId: "1" });
    });
    expect(message).toBe("stream WEFT_LOG_shorter ends at revision 1, but revision 4 was read");
  });

  test("a reader of a trimmed stream ends, though it has read all of it", async () => {
    const message = await readerEnds("trimmed", async (stream) => {
      const manager = await jetstreamManager(nats);
      await manager.streams.update(stream, { max_msgs: 1, discard: DiscardPolicy.Old });
    });
    expect(message).toBe("stream WEFT_LOG_trimmed was trimmed: it begins at revision 4");
  });

  test("a reader ends when the stream may lose entries from now on", async () => {
    const message = await readerEnds("loosened", async (stream) => {
      const manager = await jetstreamManager(nats);
      await manager.streams.update(stream, { max_age: nanos(3_600_000) });
    });
    expect(message).toBe(
      "stream WEFT_LOG_loosened is no log any more: max_age is 3600000000000 instead of 0",
    );
  });

  test("a stream with settings that are not a log's is refused, and each is named", async () => {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: "WEFT_LOG_loose", subjects: ["weft.loose.log"] });
    await expect(openConfigLog(nats, "loose")).rejects.toMatchObject({
      kind: "unavailable",
      code: "log.bad_stream",
      rawMessage:
        'stream WEFT_LOG_loose cannot hold a log: discard is "old" instead of "new"; ' +
        "deny_delete is false instead of true; deny_purge is false instead of true; " +
        'metadata.format is absent instead of "1"; ' +
        "duplicate_window is 120000000000 instead of 600000000000 ns; " +
        "metadata.incarnation is absent",
    });
  });

  test("replicas that open a log at once have the same life of it", async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => openConfigLog(nats, "shared")));
    expect(new Set(opened.map(({ incarnation }) => incarnation)).size).toBe(1);
  });

  test("a full log refuses more, and keeps what it has", async () => {
    const journal = await openConfigLog(nats, "full", { maxBytes: 10_000 });
    const payload = new Uint8Array(4_000);
    await journal.append(payload, { commandId: "1" });
    await journal.append(payload, { commandId: "2" });
    await expect(journal.append(payload, { commandId: "3" })).rejects.toMatchObject({
      kind: "unavailable",
      code: "log.full",
    });
    expect(await journal.last()).toBe(2);
  });

  test("a log with fewer copies than asked for is refused", async () => {
    await openConfigLog(nats, "copies");
    await expect(openConfigLog(nats, "copies", { replicas: 3 })).rejects.toMatchObject({
      code: "log.bad_stream",
      rawMessage: "stream WEFT_LOG_copies cannot hold a log: num_replicas is 1 instead of 3",
    });
  });

  test("a blob whose bytes are not those of its digest is missing", async () => {
    const blobs = await createNatsBlobs(nats);
    const digest = await blobs.put(bytes("right"));
    const store = await new Objm(nats).open("weft_blob");
    await store.putBlob({ name: digest }, bytes("wrong"));
    await expect(blobs.get(digest)).rejects.toMatchObject({
      kind: "missing",
      code: "log.blob_missing",
      rawMessage: `blob ${digest} has other bytes by now`,
    });
  });

  test("a NATS that is not there is reported by its address, without the password", async () => {
    const address = "127.0.0.1:1";
    const options = { name: "nobody", firstConnectMs: 100 };
    await expect(connectNats(`nats://user:secret@${address}`, options)).rejects.toMatchObject({
      kind: "unavailable",
      code: "log.unavailable",
      rawMessage: expect.stringMatching(
        /^NATS at nats:\/\/127\.0\.0\.1:1 does not take the connection: /,
      ),
    });
  });

  test("the CA's subjects have one order, and each expects its own last revision", async () => {
    const log = await openCaLog(nats, "ca", quick);
    const [first, second] = [
      { commandId: "a", expectedRevision: 0 },
      { commandId: "c", expectedRevision: 1 },
    ];
    expect(await log.authority.append(bytes("root"), first)).toBe(1);
    expect(await log.issued.append(bytes("leaf"), { commandId: "b" })).toBe(2);
    expect(await log.authority.append(bytes("next"), second)).toBe(3);
    // Sent again, and long overtaken.
    expect(await log.authority.append(bytes("root"), first)).toBe(1);
    await expect(
      log.authority.append(bytes("late"), { commandId: "d", expectedRevision: 1 }),
    ).rejects.toMatchObject({ code: "log.conflict" });
    const lasts = [await log.issued.last(), await log.authority.last(), await log.all.last()];
    expect(lasts).toEqual([2, 3, 3]);
    const entries: string[] = [];
    for await (const { revision, subject, payload } of log.all.tail({ from: 1, signal: soon() })) {
      entries.push(`${revision} ${subject} ${new TextDecoder().decode(payload)}`);
      if (revision === 3) break;
    }
    expect(entries).toEqual([
      "1 weft.ca.ca.authority root",
      "2 weft.ca.ca.issued leaf",
      "3 weft.ca.ca.authority next",
    ]);
    const own: number[] = [];
    for await (const { revision } of log.authority.tail({ from: 1, signal: soon() })) {
      own.push(revision);
      if (revision === 3) break;
    }
    expect(own).toEqual([1, 3]);
  });
});

/** Sends a command, and sends it again while NATS is away: the revision that is acknowledged. */
async function carryOut(
  nats: NatsConnection,
  options: WriterOptions<Commands>,
  command: { readonly commandId: string; readonly sent: () => void },
): Promise<number> {
  const deadline = soon();
  let written = appendCommit(options, write(command.commandId));
  command.sent();
  for (;;) {
    try {
      return (await written).revision;
    } catch (error) {
      const { code } = error as { code: string };
      if (!["log.unavailable", "log.outcome_unknown"].includes(code)) throw error;
      deadline.throwIfAborted();
      await untilConnected(nats);
      written = appendCommit(options, write(command.commandId));
    }
  }
}

/** Resolves once the connection is up again. */
async function untilConnected(nats: NatsConnection): Promise<void> {
  if (isConnected(nats)) return;
  for await (const { type } of nats.status()) if (type === "reconnect") return;
}
