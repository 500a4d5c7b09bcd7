import { setTimeout as delay } from "node:timers/promises";
import { AuthorizationError, connect, type NatsConnection } from "@nats-io/transport-node";
import { WeftError } from "../error.ts";

/** Every 5 s a ping, and after two without an answer the server is taken for gone. */
const PING_INTERVAL_MS = 5_000;
const PINGS_OUT_MAX = 2;
/** Between two dials of one server; the jitter keeps the replicas of a mesh apart. */
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 500;
const DIAL_TIMEOUT_MS = 5_000;
/** How long the first connection may take: an R3 cluster that starts beside us is there by then. */
const FIRST_CONNECT_MS_MAX = 30_000;

/** The oldest nats-server whose log can be trusted (events.md section 11). */
const SERVER_MIN = [2, 15] as const;

export interface ConnectNatsOptions {
  /** Names this client in the server's listings. */
  readonly name: string;
  /** How long to wait for the first connection. */
  readonly firstConnectMs?: number;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Paths of PEM files. */
  readonly tls?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
}

/**
 * Connects to one server or to any of a cluster, and stays connected: a lost connection is dialled
 * again for ever.
 *
 * @throws WeftError unavailable `log.unavailable`, denied `log.unavailable` for bad credentials,
 * unavailable `log.old_server`.
 */
export async function connectNats(
  servers: string | readonly string[],
  options: ConnectNatsOptions,
): Promise<NatsConnection> {
  const list = typeof servers === "string" ? servers.split(",") : [...servers];
  const nats = await dial(list, options);
  try {
    checkServerVersion(nats.info?.version ?? "unknown");
  } catch (error) {
    await nats.close();
    throw error;
  }
  watchLink(nats);
  return nats;
}

async function dial(servers: string[], options: ConnectNatsOptions): Promise<NatsConnection> {
  const { name, firstConnectMs = FIRST_CONNECT_MS_MAX, user, password, token, tls } = options;
  const deadline = performance.now() + firstConnectMs;
  for (;;) {
    try {
      return await connect({
        servers,
        name,
        timeout: DIAL_TIMEOUT_MS,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RECONNECT_MS,
        reconnectJitter: RECONNECT_JITTER_MS,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: PINGS_OUT_MAX,
        // Credentials may be rotated on the server before they are here.
        ignoreAuthErrorAbort: true,
        // Stack traces for every request would cost half of the throughput.
        noAsyncTraces: true,
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { pass: password }),
        ...(token === undefined ? {} : { token }),
        ...(tls === undefined ? {} : { tls }),
      });
    } catch (cause) {
      const isRefused = cause instanceof AuthorizationError;
      if (!isRefused && performance.now() + RECONNECT_MS < deadline) {
        await delay(RECONNECT_MS);
        continue;
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new WeftError(
        isRefused ? "denied" : "unavailable",
        "log.unavailable",
        `NATS at ${servers.map(withoutPassword).join(", ")} does not take the connection: ${why}`,
        { cause },
      );
    }
  }
}

/** @throws WeftError unavailable `log.old_server`, with the version and why it will not do. */
export function checkServerVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [minMajor, minMinor] = SERVER_MIN;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return;
  throw new WeftError(
    "unavailable",
    "log.old_server",
    `nats-server ${version} is older than ${SERVER_MIN.join(".")}: it can lose messages it has ` +
      "acknowledged, and passes over settings it does not know",
  );
}

/** What this end knows of a connection. */
interface Link {
  up: boolean;
  readonly listeners: Set<() => void>;
}

/** nats.js does not say whether it is connected, and keeps what it is handed while it is not. */
const links = new WeakMap<NatsConnection, Link>();

/** Whether NATS can be reached at the moment, as far as this end knows. */
export function isConnected(nats: NatsConnection): boolean {
  return !nats.isClosed() && !nats.isDraining() && watchLink(nats).up;
}

/** Calls the listener whenever the connection is lost; answers how to end that. */
export function onDisconnect(nats: NatsConnection, listener: () => void): () => void {
  const { listeners } = watchLink(nats);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function watchLink(nats: NatsConnection): Link {
  const found = links.get(nats);
  if (found !== undefined) return found;
  const link: Link = { up: true, listeners: new Set() };
  links.set(nats, link);
  const watch = async (): Promise<void> => {
    for await (const { type } of nats.status()) {
      if (type === "reconnect") link.up = true;
      if (type !== "disconnect" && type !== "staleConnection" && type !== "close") continue;
      link.up = false;
      for (const listener of link.listeners) listener();
    }
  };
  void watch();
  return link;
}

function withoutPassword(server: string): string {
  return server.replace(/\/\/[^@/]*@/, "//");
}
