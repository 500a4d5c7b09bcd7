import type { Http2Session } from "node:http2";
import { type Clock, GRPC_STATUS, type GrpcCall, type GrpcStatus } from "../runtime/index.ts";

/** A stream as the server holds it, to end it. */
export interface Serving {
  end(status: GrpcStatus, message: string): void;
  readonly closed: Promise<void>;
}

/** What the streams of one connection share. */
export interface Connection {
  /** Bytes of requests that have come in part: all streams of the connection draw on them. */
  readonly budget: { bytes: number };
}

/** The connections that discovery streams run on. */
export interface Connections {
  /** Takes in a stream, and with the first one its connection. */
  take(call: GrpcCall, serving: Serving): Connection;
}

export interface ConnectionsOptions {
  readonly clock: Clock;
  /** About how old a connection may grow; for ever if not given. */
  readonly ageMsMax?: number | undefined;
}

/** As istiod: a dead peer is found within 40 s. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;

/** Connections that were made at once do not end at once: each lives 3/4 to 5/4 of the age. */
const AGE_SPREAD = 0.5;

/** Two requests of the largest size: a client that sends more of them at once is not an Envoy. */
const UNREAD_BYTES_MAX = 64 << 20;

/** Bytes that one connection may send unread; the default of 64 KiB makes a reconnect crawl. */
export const WINDOW_BYTES = 1 << 20;

interface Held extends Connection {
  readonly streams: Set<Serving>;
}

/**
 * Finds peers that are gone without a word, and ends connections at their age or when the peer's
 * certificate expires: whoever was let in then has to show a certificate of now.
 */
export function createConnections(options: ConnectionsOptions): Connections {
  const held = new WeakMap<Http2Session, Held>();
  return {
    take({ stream, peer }, serving) {
      const { session } = stream;
      const connection = (session && held.get(session)) ?? {
        budget: { bytes: UNREAD_BYTES_MAX },
        streams: new Set(),
      };
      connection.streams.add(serving);
      void serving.closed.then(() => connection.streams.delete(serving));
      if (session === undefined || held.has(session)) return connection;
      held.set(session, connection);
      if ("setLocalWindowSize" in session) session.setLocalWindowSize(WINDOW_BYTES);
      keepAlive(session);
      const lifeMs = lifeOf(options, peer.notAfterMs);
      if (lifeMs !== undefined) endAfter(lifeMs, session, connection.streams);
      return connection;
    },
  };
}

function lifeOf(
  { clock, ageMsMax }: ConnectionsOptions,
  notAfterMs: number | undefined,
): number | undefined {
  const lives = [
    ...(ageMsMax === undefined ? [] : [ageMsMax * (1 + (Math.random() - 0.5) * AGE_SPREAD)]),
    ...(notAfterMs === undefined || ageMsMax === undefined ? [] : [notAfterMs - clock.now()]),
  ];
  return lives.length === 0 ? undefined : Math.max(0, Math.min(...lives));
}

function endAfter(lifeMs: number, session: Http2Session, streams: ReadonlySet<Serving>): void {
  const timer = setTimeout(() => {
    // First the word that nothing new is taken: else the client would open its next stream here.
    session.close();
    for (const serving of streams) {
      serving.end(GRPC_STATUS.unavailable, "the connection is old, make a new one");
    }
  }, lifeMs);
  session.once("close", () => clearTimeout(timer));
}

function keepAlive(session: Http2Session): void {
  let timeout: NodeJS.Timeout | undefined;
  const interval = setInterval(() => {
    // A session that was destroyed may say that it has closed much later, or never.
    if (session.destroyed) return clearInterval(interval);
    timeout = setTimeout(() => session.destroy(), PING_TIMEOUT_MS);
    if (!session.ping(() => clearTimeout(timeout))) session.destroy();
  }, PING_INTERVAL_MS);
  session.once("close", () => {
    clearInterval(interval);
    clearTimeout(timeout);
  });
}
