import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats, createNatsBlobs, openConfigLog } from "@weft/core/journal";
import { afterAll, beforeAll } from "vitest";
import { blobsContract, journalContract } from "../services/core/journal/contract.ts";
import { startNats } from "./world/nats.ts";

const world = new AsyncDisposableStack();
let nats: NatsConnection;

beforeAll(async () => {
  const server = world.use(await startNats());
  nats = await connectNats(server.url, { name: "contract" });
  world.defer(() => nats.close());
});

afterAll(() => world.disposeAsync());

journalContract("a journal on NATS", async () => ({
  journal: await openConfigLog(nats, `mesh-${randomUUID()}`),
  async [Symbol.asyncDispose]() {},
}));

blobsContract("blobs on NATS", async () => ({
  blobs: await createNatsBlobs(nats),
  async [Symbol.asyncDispose]() {},
}));
