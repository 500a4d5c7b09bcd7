import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type ErrorKind, WeftError } from "../error.ts";

/** gRPC's status codes that Weft answers (grpc.io, statuscodes.md). */
export const GRPC_STATUS = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** What a caller over gRPC hears of a WeftError. */
export const STATUS_OF_KIND: Readonly<Record<ErrorKind, GrpcStatus>> = {
  invalid: GRPC_STATUS.invalidArgument,
  missing: GRPC_STATUS.notFound,
  conflict: GRPC_STATUS.aborted,
  denied: GRPC_STATUS.permissionDenied,
  unavailable: GRPC_STATUS.unavailable,
};

/** A length-prefixed message: 1 byte of flags, 4 bytes of length (gRPC over HTTP/2). */
const PREFIX_BYTES = 5;

/** How long the request of a unary call may take to come in. */
const UNARY_REQUEST_MS_MAX = 10_000;

/** The most that one unary request may hold: a CSR is 8 KiB, its metadata little more. */
const UNARY_BYTES_MAX = 64 << 10;

/** Who is at the other end of a connection. */
export interface Peer {
  readonly address: string;
  /** The URI SAN of a client certificate that TLS has verified; undefined without one. */
  readonly spiffeId: string | undefined;
  /** When that certificate expires. */
  readonly notAfterMs?: number;
  readonly encrypted: boolean;
}

export interface GrpcCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly peer: Peer;
  readonly stream: ServerHttp2Stream;
}

export type GrpcHandler = (call: GrpcCall) => void;

/** Handlers by path, `/package.Service/Method`. */
export type GrpcRoutes = Readonly<Record<string, GrpcHandler>>;

/** Answers a stream with the handler of its path, or UNIMPLEMENTED. */
export function dispatch(
  routes: GrpcRoutes,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const path = headers[":path"] ?? "";
  const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
  // A stream that fails while we hold it is ended by its peer: nobody is left to tell.
  stream.on("error", () => {});
  if (handler === undefined) {
    endGrpc(stream, GRPC_STATUS.unimplemented, `no method ${path}`);
    return;
  }
  handler({ path, headers, peer: peerOf(stream), stream });
}

/** Opens the response at once, so that a client which waits for headers goes on. */
export function openGrpc(stream: ServerHttp2Stream): void {
  if (stream.headersSent || stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
}

/** Ends a call with a status: in trailers, or in the headers if none were sent. */
export function endGrpc(stream: ServerHttp2Stream, status: GrpcStatus, message = ""): void {
  if (stream.destroyed || stream.closed) return;
  const trailers = { "grpc-status": String(status), "grpc-message": encodeURIComponent(message) };
  if (!stream.headersSent) {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", ...trailers },
      { endStream: true },
    );
    return;
  }
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end();
}

/** One message as it goes over the wire. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/**
 * Cuts a stream into messages. `onMessage` gets each one; a message longer than the limit, or a
 * compressed one, is told to `onRefused` once, and no more follow.
 */
export function readFrames(
  stream: Http2Stream,
  options: {
    readonly bytesMax: number;
    /** What may be held of messages that have come in part, over all streams that share it. */
    readonly budget?: { bytes: number };
    onMessage(message: Buffer): void;
    onRefused(status: GrpcStatus, reason: string): void;
  },
): void {
  let held: Buffer[] = [];
  let size = 0;
  let refused = false;
  const hold = (bytes: number): void => {
    size += bytes;
    if (options.budget !== undefined) options.budget.bytes -= bytes;
  };
  const refuse = (status: GrpcStatus, reason: string): void => {
    refused = true;
    held = [];
    hold(-size);
    options.onRefused(status, reason);
  };
  stream.on("data", (chunk: Buffer) => {
    if (refused) return;
    held.push(chunk);
    hold(chunk.length);
    if (options.budget !== undefined && options.budget.bytes < 0) {
      return refuse(GRPC_STATUS.resourceExhausted, "too much of unfinished messages");
    }
    while (!refused && size >= PREFIX_BYTES) {
      if ((held[0]?.length ?? 0) < PREFIX_BYTES) held = [Buffer.concat(held)];
      const head = held[0] as Buffer;
      const length = head.readUInt32BE(1);
      if (head[0] !== 0) return refuse(GRPC_STATUS.unimplemented, "compressed message");
      if (length > options.bytesMax) {
        const reason = `message of ${length} bytes, at most ${options.bytesMax}`;
        return refuse(GRPC_STATUS.resourceExhausted, reason);
      }
      if (size < PREFIX_BYTES + length) return;
      const all = held.length === 1 ? head : Buffer.concat(held);
      const rest = all.subarray(PREFIX_BYTES + length);
      held = rest.length > 0 ? [rest] : [];
      hold(rest.length - size);
      options.onMessage(all.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
    }
  });
  stream.once("close", () => {
    refused = true;
    hold(-size);
  });
}

/** A handler for a method with one request and one response. A WeftError becomes its status. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: { readonly input: I; readonly output: O },
  handle: (request: MessageShape<I>, call: GrpcCall) => Promise<MessageShape<O>>,
): GrpcHandler {
  return (call) => {
    let taken = false;
    const late = setTimeout(() => {
      endGrpc(call.stream, GRPC_STATUS.deadlineExceeded, "the request did not come in time");
    }, UNARY_REQUEST_MS_MAX);
    call.stream.once("close", () => clearTimeout(late));
    readFrames(call.stream, {
      bytesMax: UNARY_BYTES_MAX,
      onRefused: (status, reason) => endGrpc(call.stream, status, reason),
      onMessage(message) {
        if (taken) return;
        taken = true;
        clearTimeout(late);
        answer(message).catch((error: unknown) => {
          const status =
            error instanceof WeftError ? STATUS_OF_KIND[error.kind] : GRPC_STATUS.internal;
          endGrpc(call.stream, status, error instanceof WeftError ? error.message : "internal");
        });
      },
    });
    const answer = async (message: Buffer): Promise<void> => {
      const response = await handle(decode(method.input, message), call);
      openGrpc(call.stream);
      if (call.stream.destroyed) return;
      call.stream.write(frame(toBinary(method.output, response)));
      endGrpc(call.stream, GRPC_STATUS.ok);
    };
  };
}

function decode<D extends DescMessage>(schema: D, message: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, message);
  } catch (cause) {
    throw new WeftError("invalid", "control.bad_request", `not a ${schema.typeName}`, { cause });
  }
}

/** A call that ended with another status than OK. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Opens a call on a session; the caller reads and writes frames. */
export function openCall(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  return session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
}

/** Calls a method with one request and one response. @throws GrpcError, or the session's error */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  session: ClientHttp2Session,
  path: string,
  options: {
    readonly input: I;
    readonly output: O;
    readonly request: MessageShape<I>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
  },
): Promise<MessageShape<O>> {
  return new Promise((done, fail) => {
    const stream = openCall(session, path, options.headers);
    let response: MessageShape<O> | undefined;
    let status: IncomingHttpHeaders = {};
    stream.setTimeout(options.timeoutMs, () => {
      fail(new GrpcError(GRPC_STATUS.deadlineExceeded, `no answer in ${options.timeoutMs} ms`));
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on("response", (headers) => {
      if ("grpc-status" in headers) status = headers;
    });
    stream.on("trailers", (headers) => {
      status = headers;
    });
    stream.on("error", fail);
    readFrames(stream, {
      bytesMax: UNARY_BYTES_MAX,
      onMessage(message) {
        response = fromBinary(options.output, message);
      },
      onRefused: (code, reason) => fail(new GrpcError(code, reason)),
    });
    stream.on("close", () => {
      const code = Number(status["grpc-status"] ?? GRPC_STATUS.unavailable);
      if (code === GRPC_STATUS.ok && response !== undefined) done(response);
      else
        fail(new GrpcError(code, decodeURIComponent(String(status["grpc-message"] ?? "closed"))));
    });
    stream.end(frame(toBinary(options.input, options.request)));
  });
}

function peerOf({ session }: ServerHttp2Stream): Peer {
  const socket = session?.socket;
  const address = socket?.remoteAddress ?? "";
  // The socket that http2 shows answers any question, so only the session tells TLS from plaintext.
  if (socket === undefined || session?.encrypted !== true) {
    return { address, spiffeId: undefined, encrypted: false };
  }
  const tls = socket as TLSSocket;
  return { address, encrypted: true, spiffeId: undefined, ...(tls.authorized && identityOf(tls)) };
}

/** The one URI SAN of the peer's certificate. Several are no identity (X509-SVID, section 2). */
function identityOf(socket: TLSSocket): Pick<Peer, "spiffeId" | "notAfterMs"> {
  const { subjectaltname, valid_to: notAfter } = socket.getPeerCertificate();
  const uris = subjectaltname?.split(", ").filter((name) => name.startsWith("URI:")) ?? [];
  if (uris.length !== 1) return { spiffeId: undefined };
  return { spiffeId: uris[0]?.slice("URI:".length), notAfterMs: Date.parse(notAfter) };
}
