import { createHash } from "node:crypto";
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { type ObjectStore, Objm, StorageType } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { WeftError } from "../error.ts";
import { checkServerVersion, isConnected } from "./connection.ts";
import { BLOB_BYTES_MAX, type Blobs } from "./journal.ts";
import { asReadError } from "./nats-errors.ts";

const BUCKET = "weft_blob";
/** Long enough for the largest blob over a slow link; a lost chunk would be waited for for ever. */
const TRANSFER_MS_MAX = 60_000;
/** The first and only version of an object: what is named by its digest never changes. */
const NO_REVISION = 0;

export interface NatsBlobsOptions {
  /** Copies in the cluster, for a bucket that does not exist yet: 1 alone, 3 in production. */
  readonly replicas?: number;
}

/**
 * Blobs in the JetStream object store `weft_blob`, under their digests. Makes the bucket if it is
 * absent.
 *
 * @throws WeftError unavailable `log.unavailable` or `log.old_server`.
 */
export async function createNatsBlobs(
  nats: NatsConnection,
  { replicas = 1 }: NatsBlobsOptions = {},
): Promise<Blobs> {
  checkServerVersion(nats.info?.version ?? "unknown");
  const store = await ask(nats, () =>
    new Objm(nats).create(BUCKET, { storage: StorageType.File, replicas }),
  );
  return {
    async put(bytes) {
      if (bytes.length > BLOB_BYTES_MAX) {
        const message = `a blob of ${bytes.length} bytes is over the limit of ${BLOB_BYTES_MAX}`;
        throw new WeftError("invalid", "log.too_large", message);
      }
      const digest = digestOf(bytes);
      await ask(nats, () => putOnce(store, digest, bytes));
      return digest;
    },
    async get(digest) {
      const bytes = await ask(nats, () => store.getBlob(digest).catch(asChanged));
      if (bytes === null) {
        throw new WeftError("missing", "log.blob_missing", `there is no blob ${digest}`);
      }
      if (bytes !== CHANGED && digestOf(bytes) === digest) return bytes;
      throw new WeftError("missing", "log.blob_missing", `blob ${digest} has other bytes by now`);
    },
  };
}

/** Stores a blob unless it is there. A writer that comes second must not purge the first's chunks. */
async function putOnce(store: ObjectStore, digest: string, bytes: Uint8Array): Promise<void> {
  const found = await store.info(digest);
  if (found !== null && !found.deleted && found.size === bytes.length) return;
  try {
    await store.putBlob({ name: digest }, bytes, {
      previousRevision: found?.revision ?? NO_REVISION,
    });
  } catch (error) {
    const isSecond =
      error instanceof JetStreamApiError &&
      error.code === JetStreamApiCodes.StreamWrongLastSequence;
    if (!isSecond) throw error;
  }
}

/** Stands for bytes that do not match the digest which the store keeps of them. */
const CHANGED = new Uint8Array();

function asChanged(error: Error): Uint8Array {
  // nats.js has no other mark for it.
  if (error.message.startsWith("received a corrupt object")) return CHANGED;
  throw error;
}

/** Asks the store within the limit of time, and only while it can be reached. */
async function ask<T>(nats: NatsConnection, question: () => Promise<T>): Promise<T> {
  if (!isConnected(nats)) {
    throw new WeftError("unavailable", "log.unavailable", "NATS is away, and the blobs with it");
  }
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`no end after ${TRANSFER_MS_MAX} ms`)),
    TRANSFER_MS_MAX,
  );
  try {
    return await Promise.race([question(), promise]);
  } catch (cause) {
    throw asReadError(`object store ${BUCKET}`, cause);
  } finally {
    clearTimeout(timer);
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
