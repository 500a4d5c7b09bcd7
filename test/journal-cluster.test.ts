import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats, type Journal, openConfigLog } from "@weft/core/journal";
import { afterAll, beforeAll, expect, test } from "vitest";
import { journalContract } from "../services/core/journal/contract.ts";
import { type NatsCluster, startNatsCluster } from "./world/nats-cluster.ts";

const replicas = 3;
const world = new AsyncDisposableStack();
let cluster: NatsCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = world.use(await startNatsCluster());
  nats = await connectNats(cluster.urls, { name: "cluster" });
  world.defer(() => nats.close());
  // Until the cluster has elected its leader it takes no stream.
  await untilDone(() => openConfigLog(nats, "first", { replicas }));
});

afterAll(() => world.disposeAsync());

journalContract("a journal on three servers", async () => ({
  journal: await openConfigLog(nats, `mesh-${randomUUID()}`, { replicas }),
  async [Symbol.asyncDispose]() {},
}));

test("the leader's death loses nothing that was acknowledged, and writing goes on", async () => {
  const journal = await openConfigLog(nats, "leader", { replicas, timeoutMs: 1_000 });
  for (let index = 0; index < 50; index++) expect(await append(journal, index)).toBe(index + 1);
  const { cluster: raft } = await (await jetstreamManager(nats)).streams.info(journal.name);
  const leader = raft?.leader ?? "";
  cluster.signal(leader, "SIGKILL");
  for (let index = 50; index < 100; index++) {
    expect(await untilDone(() => append(journal, index))).toBe(index + 1);
  }
  const seen: string[] = [];
  for await (const { revision, payload } of journal.tail({ from: 1, signal: soon() })) {
    seen.push(`${revision} ${new TextDecoder().decode(payload)}`);
    if (revision === 100) break;
  }
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 1} ${index}`));
});

/** Appends the message of this index at its place: sent again, it is stored once. */
function append(journal: Journal, index: number): Promise<number> {
  const payload = new TextEncoder().encode(`${index}`);
  return journal.append(payload, { commandId: `${index}`, expectedRevision: index });
}

function soon(): AbortSignal {
  return AbortSignal.timeout(50_000);
}

/** Does it again while there is no leader, or no answer. */
async function untilDone<T>(action: () => Promise<T>): Promise<T> {
  const deadline = soon();
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "log.unavailable" && code !== "log.outcome_unknown") throw error;
      deadline.throwIfAborted();
      await delay(100);
    }
  }
}
