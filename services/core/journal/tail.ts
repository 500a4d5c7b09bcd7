import { setTimeout as delay } from "node:timers/promises";
import {
  AckPolicy,
  type ConsumerMessages,
  type ConsumerNotification,
  DeliverPolicy,
  type JsMsg,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { WeftError } from "../error.ts";
import { isConnected, onDisconnect } from "./connection.ts";
import type { Entry } from "./journal.ts";
import { isStreamMissing } from "./nats-errors.ts";
import { type OpenedStream, wrongSettings } from "./stream.ts";

/** Messages asked for ahead: enough for full speed, at most as many MB. */
const PREFETCH_MAX = 256;
/** Silence after which the server says that it is there, and the tail looks after the stream. */
const HEARTBEAT_MS = 5_000;
/** A pull ends after this many heartbeats and is made again. */
const PULL_HEARTBEATS = 6;
/** The server removes a reader's consumer this long after the reader is gone. */
const CONSUMER_IDLE_MS = 30_000;
/** Between two tries to read on: short at first, for a server that is back at once. */
const RETRY_MS = 50;
const RETRY_MS_MAX = 2_000;
/**
 * Tries, about 20 s in all, in which a replicated stream may seem to end too early: a leader that
 * was deposed without knowing it answers from the past for about 10 s.
 */
const BEHIND_TRIES_MAX = 14;

export interface TailOptions {
  readonly from: number;
  readonly signal: AbortSignal;
  /** Only this subject; all of the stream by default. */
  readonly subject?: string;
  readonly heartbeatMs?: number;
}

/** How far a tail has come, over all its sessions. */
interface Cursor {
  next: number;
  /** The newest revision handed out; 0 before the first. */
  seen: number;
  behindTries: number;
}

/**
 * The entries of a stream from a revision on, then what comes. Reads in sessions: each has a
 * consumer of its own, made at the cursor, and looks whether the stream is still the same one. When
 * anything is odd (connection lost, heartbeat missed, consumer gone, message skipped) the session
 * ends and the next one begins at the cursor, so that nothing is trusted across it.
 *
 * @throws WeftError unavailable `log.frozen` if the stream was deleted, replaced or trimmed or lost
 * messages; `log.unavailable` once the connection is closed for good.
 */
export async function* tailStream(
  stream: OpenedStream,
  options: TailOptions,
): AsyncGenerator<Entry, void, undefined> {
  const { signal } = options;
  const cursor: Cursor = { next: Math.max(options.from, 1), seen: 0, behindTries: 0 };
  for (let failures = 0; !signal.aborted; failures++) {
    if (stream.nats.isClosed()) {
      throw new WeftError("unavailable", "log.unavailable", "the connection to NATS is closed");
    }
    try {
      for await (const entry of readSession(stream, options, cursor)) {
        failures = 0;
        yield entry;
        if (signal.aborted) return;
      }
    } catch (error) {
      if (isStreamMissing(error)) throw frozen(`stream ${stream.name} is gone`, error);
      if (error instanceof WeftError && error.code === "log.frozen") throw error;
      // Anything else passes: the next session looks at the stream again.
    }
    await pause(Math.min(RETRY_MS * 2 ** failures, RETRY_MS_MAX), signal);
  }
}

/** Reads on at the cursor until anything is odd. */
async function* readSession(
  stream: OpenedStream,
  options: TailOptions,
  cursor: Cursor,
): AsyncGenerator<Entry, void, undefined> {
  if (!isConnected(stream.nats)) return;
  const { signal } = options;
  await using session = await openSession(stream, options, cursor);
  const { messages } = session;
  let delivered = 0;
  let finding: unknown;
  const close = (): void => void messages.close();
  const look = async (): Promise<void> => {
    try {
      checkStream(stream, await stream.manager.streams.info(stream.name), cursor);
    } catch (error) {
      finding = error;
      close();
    }
  };
  void watch(messages, (notification) => {
    if (notification.type !== "heartbeat") return close();
    // What was sent into a dead connection is not sent again by itself.
    if (notification.lastConsumerSequence > delivered) return close();
    void look();
  });
  const forget = onDisconnect(stream.nats, close);
  signal.addEventListener("abort", close);
  // Either may have happened while the session was made.
  if (signal.aborted || !isConnected(stream.nats)) close();
  try {
    for await (const message of messages) {
      if (signal.aborted) return;
      if (message.info.deliverySequence !== delivered + 1) return;
      delivered++;
      const entry = entryOf(message);
      if (options.subject === undefined) checkNext(stream, cursor, entry);
      [cursor.next, cursor.seen] = [entry.revision + 1, entry.revision];
      yield entry;
    }
    if (finding !== undefined) throw finding;
  } finally {
    forget();
    signal.removeEventListener("abort", close);
  }
}

/** A consumer at the cursor, on a stream that has been looked at after the consumer was made. */
async function openSession(
  stream: OpenedStream,
  { subject, heartbeatMs = HEARTBEAT_MS }: TailOptions,
  cursor: Cursor,
): Promise<AsyncDisposable & { readonly messages: ConsumerMessages }> {
  const { nats, manager, name } = stream;
  const consumer = await manager.consumers.add(name, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: cursor.next,
    inactive_threshold: nanos(CONSUMER_IDLE_MS),
    max_deliver: 1,
    mem_storage: true,
    num_replicas: 1,
    ...(subject === undefined ? {} : { filter_subject: subject }),
  });
  const remove = async (): Promise<void> => {
    if (!isConnected(nats)) return;
    // Best effort: the server removes it by itself.
    await manager.consumers.delete(name, consumer.name).catch(() => {});
  };
  try {
    checkStream(stream, await manager.streams.info(name), cursor);
    const messages = await manager
      .jetstream()
      .consumers.getConsumerFromInfo(consumer)
      .consume({
        max_messages: PREFETCH_MAX,
        idle_heartbeat: heartbeatMs,
        expires: heartbeatMs * PULL_HEARTBEATS,
        abort_on_missing_resource: true,
      });
    return {
      messages,
      async [Symbol.asyncDispose]() {
        void messages.close();
        void remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Tells of heartbeats and of whatever makes a session untrustworthy. */
async function watch(
  messages: ConsumerMessages,
  tell: (notification: ConsumerNotification) => void,
): Promise<void> {
  for await (const notification of messages.status()) {
    switch (notification.type) {
      case "next":
      case "discard":
      case "debug":
      case "flow_control":
      case "consumer_pinned":
      case "consumer_unpinned":
        break;
      case "heartbeat":
      case "heartbeats_missed":
      case "consumer_not_found":
      case "consumer_deleted":
      case "stream_not_found":
      case "exceeded_limits":
      case "no_responders":
      case "ordered_consumer_recreated":
      case "reset":
        tell(notification);
        break;
    }
  }
}

/** @throws WeftError `log.frozen` where the stream is not the one that was read so far. */
function checkStream(
  { name, incarnation, subjects }: OpenedStream,
  { config, state, cluster }: StreamInfo,
  cursor: Cursor,
): void {
  const found = config.metadata?.["incarnation"] ?? "none";
  if (found !== incarnation) {
    throw frozen(`stream ${name} was incarnation ${incarnation} and is ${found} now`);
  }
  const { first_seq: first, last_seq: last, num_deleted: deleted = 0 } = state;
  if (last > 0 && first > Math.max(config.first_seq ?? 1, 1)) {
    throw frozen(`stream ${name} was trimmed: it begins at revision ${first}`);
  }
  const wrong = wrongSettings(config, subjects);
  if (wrong.length > 0) throw frozen(`stream ${name} is no log any more: ${wrong.join("; ")}`);
  if (deleted > 0) throw frozen(`stream ${name} lacks ${deleted} revisions in its middle`);
  if (last >= cursor.seen) {
    cursor.behindTries = 0;
    return;
  }
  const message = `stream ${name} ends at revision ${last}, but revision ${cursor.seen} was read`;
  if ((cluster?.replicas?.length ?? 0) > 0 && cursor.behindTries++ < BEHIND_TRIES_MAX) {
    throw new WeftError("unavailable", "log.unavailable", message);
  }
  throw frozen(message);
}

function checkNext({ name }: OpenedStream, { next }: Cursor, { revision }: Entry): void {
  if (revision === next) return;
  throw frozen(`stream ${name} goes from revision ${next - 1} to ${revision}`);
}

function entryOf({ info, subject, data }: JsMsg): Entry {
  return {
    revision: info.streamSequence,
    subject,
    payload: data,
    storedAtMs: Math.floor(info.timestampNanos / 1e6),
  };
}

function frozen(message: string, cause?: unknown): WeftError {
  return new WeftError("unavailable", "log.frozen", message, { cause });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Aborted: the caller looks at the signal.
  }
}
