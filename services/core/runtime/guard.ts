import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Connections at once: twice the proxies that one replica is meant for. */
const CONNECTIONS_MAX = 20_000;

/** Of one address: a node with its proxies, or what stands behind one load balancer. */
const PEER_CONNECTIONS_MAX = 2_000;

/** How long a connection may stay without a call: agents call at once, Envoys within seconds. */
const IDLE_MS_MAX = 60_000;

export interface GuardLimits {
  readonly connectionsMax?: number;
  readonly peerConnectionsMax?: number;
  readonly idleMsMax?: number;
}

/**
 * Keeps strangers from taking a server's connections: a number of them for all, one for each
 * address, and none for whoever does not speak.
 */
export function guardConnections(
  server: Http2Server | Http2SecureServer,
  limits: GuardLimits = {},
): void {
  const {
    connectionsMax = CONNECTIONS_MAX,
    peerConnectionsMax = PEER_CONNECTIONS_MAX,
    idleMsMax = IDLE_MS_MAX,
  } = limits;
  const counts = new Map<string, number>();
  server.maxConnections = connectionsMax;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    socket.once("close", () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
    if (count > peerConnectionsMax) socket.destroy();
  });
  server.on("session", (session: ServerHttp2Session) => endIdle(session, idleMsMax));
}

function endIdle(session: ServerHttp2Session, idleMsMax: number): void {
  let open = 0;
  let idle: NodeJS.Timeout | undefined;
  const wait = (): void => {
    idle = setTimeout(() => session.destroy(), idleMsMax);
  };
  wait();
  session.on("stream", (stream) => {
    open++;
    clearTimeout(idle);
    stream.once("close", () => {
      open--;
      if (open === 0 && !session.destroyed) wait();
    });
  });
  session.once("close", () => {
    open = Number.POSITIVE_INFINITY;
    clearTimeout(idle);
  });
}
