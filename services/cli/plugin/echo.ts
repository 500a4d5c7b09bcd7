import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";

/** A server on loopback. */
export interface Served extends AsyncDisposable {
  /** `127.0.0.1:41733` */
  readonly address: string;
}

/** Bytes of a request that are told back: who sends more sees that there was more. */
const BODY_BYTES_MAX = 1 << 20;

/** An upstream that answers what it got: JSON with the request, or over TCP the same bytes. */
export async function startEcho(kind: "http" | "tcp"): Promise<Served> {
  const server = kind === "http" ? createHttpServer(echo) : createTcpServer(echoBytes);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A server whose idle connections Envoy may keep: one that closes them loses a request at times. */
export function createHttpServer(handle: RequestListener): Server {
  return createServer({ keepAliveTimeout: 0 }, handle);
}

/** Answers a request as JSON: `{ method, path, headers: [[name, value]], body, trailers }`. */
export function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  let [size, cut] = [0, false];
  request.on("data", (chunk: Buffer) => {
    if (size < BODY_BYTES_MAX) chunks.push(chunk.subarray(0, BODY_BYTES_MAX - size));
    size += chunk.byteLength;
    cut = size > BODY_BYTES_MAX;
  });
  // Who breaks off gets no answer.
  request.on("error", () => response.destroy());
  request.on("end", () => {
    const told = {
      method: request.method,
      path: request.url,
      headers: pairs(request.rawHeaders),
      body: Buffer.concat(chunks).toString("utf8"),
      ...(cut ? { bodyBytes: size } : {}),
      trailers: pairs(request.rawTrailers),
    };
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify(told)}\n`);
  });
}

/** Names and values in turn, as Node hands them over, as pairs. */
export function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : [],
  );
}

function echoBytes(socket: Socket): void {
  // A reset by the other side is its own affair.
  socket.on("error", () => {});
  socket.pipe(socket);
}
