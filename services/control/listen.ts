import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer, isIPv6, type Socket } from "node:net";
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { guardConnections } from "@weft/core/runtime";

/** How HTTP/2 begins where nobody agreed on it before (RFC 9113, section 3.4); no method does. */
const PREFACE = "PRI";

/** Connections at once: people, scripts and consoles, not proxies. */
const CONNECTIONS_MAX = 1_024;

/** How long a connection may take to say which protocol it speaks. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** How long the head of a request may take; Node only watches servers that listen themselves. */
const HEAD_TIMEOUT_MS = 10_000;

/** How long a connection may stay without a request. */
const IDLE_TIMEOUT_MS = 60_000;

/** How long the rest of a request is read that was answered before its end. */
const REST_TIMEOUT_MS = 5_000;

/** Streams of one connection: each holds a request that may be as large as a plugin. */
const STREAMS_MAX = 32;

export interface Listening extends AsyncDisposable {
  /** `127.0.0.1:8080`; an IPv6 address in brackets. */
  readonly address: string;
}

/** Serves HTTP/1.1 and HTTP/2 without TLS on one port: curl speaks the one, gRPC the other. */
export async function listen(
  handler: ReturnType<typeof connectNodeAdapter>,
  {
    host,
    port,
    headTimeoutMs = HEAD_TIMEOUT_MS,
  }: { readonly host: string; readonly port: number; readonly headTimeoutMs?: number },
): Promise<Listening> {
  const http1 = createHttp1((request, response) => {
    const { socket } = request;
    waitForHead(socket, undefined);
    response.on("finish", () => {
      waitForHead(socket, IDLE_TIMEOUT_MS);
      // The end of a small request is on its way: its connection goes on.
      setImmediate(() => {
        if (!request.complete) hangUp(socket);
      });
    });
    handler(request, response);
  });
  const settings = { maxConcurrentStreams: STREAMS_MAX };
  const http2 = createHttp2({ settings }, handler);
  guardConnections(http2, { idleMsMax: IDLE_TIMEOUT_MS });
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // the other side went away
    socket.setTimeout(FIRST_BYTES_TIMEOUT_MS, () => socket.destroy());
    socket.once("data", (first) => {
      socket.setTimeout(0).removeAllListeners("timeout");
      socket.pause();
      socket.unshift(first);
      const speaksHttp2 = first.subarray(0, PREFACE.length).toString("latin1") === PREFACE;
      (speaksHttp2 ? http2 : http1).emit("connection", socket);
      if (speaksHttp2) return;
      waitForHead(socket, headTimeoutMs);
      socket.resume();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, host, done);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return {
    address: `${isIPv6(address) ? `[${address}]` : address}:${bound}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      http1.closeAllConnections();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** For each connection that waits for a request, when it has waited long enough. */
const waiting = new WeakMap<Socket, NodeJS.Timeout>();

/** Ends the connection unless a whole head comes in this time, however it drips. */
function waitForHead(socket: Socket, ms: number | undefined): void {
  clearTimeout(waiting.get(socket));
  if (ms === undefined || socket.destroyed) return;
  if (!waiting.has(socket)) socket.once("close", () => clearTimeout(waiting.get(socket)));
  waiting.set(
    socket,
    setTimeout(() => socket.destroy(), ms),
  );
}

/**
 * Ends a connection whose request was refused before its end: what is left of it stands before the
 * next one. It is read and thrown away for a while, because closing at once could take the answer
 * away from a client that still writes.
 */
function hangUp(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), REST_TIMEOUT_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end();
  socket.removeAllListeners("data").on("data", () => {});
  socket.resume();
}
