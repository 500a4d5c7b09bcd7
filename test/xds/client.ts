import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { frame, openCall, readFrames } from "@weft/core/runtime";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@weft/proto/envoy/service/discovery/v3/discovery_pb.ts";

export const DELTA_ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
export const SOTW_ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

export const NODE = { id: "sidecar~127.0.0.1~web.default~default.svc.cluster.local" };

/** One stream of a scripted client: sends what it is told, answers nothing by itself. */
export interface ScriptedStream<Request, Response> {
  send(request: Request): void;
  /** Sends bytes as one message, whatever they are. */
  sendBytes(bytes: Uint8Array): void;
  /** The next response, in order. */
  next(): Promise<Response>;
  /** Responses that came and were not taken. */
  readonly waiting: readonly Response[];
  /** The status that the server ended the stream with: grpc-status and grpc-message. */
  readonly ended: Promise<{ readonly status: string; readonly message: string }>;
  /** Stops and goes on taking bytes off the wire. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface ScriptedClient extends Disposable {
  readonly session: ClientHttp2Session;
  delta(
    path?: string,
  ): ScriptedStream<MessageInitShape<typeof DeltaDiscoveryRequestSchema>, DeltaDiscoveryResponse>;
  sotw(
    path?: string,
  ): ScriptedStream<MessageInitShape<typeof DiscoveryRequestSchema>, DiscoveryResponse>;
}

/** How long a response may take before a test fails. */
const RESPONSE_MS_MAX = 10_000;

export function connectScripted(port: number): ScriptedClient {
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1_000 });
  session.on("error", () => {}); // the server went away; the streams tell
  return {
    session,
    delta: (path = DELTA_ADS) =>
      open(session, path, {
        encode: (request) =>
          toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request)),
        decode: (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
      }),
    sotw: (path = SOTW_ADS) =>
      open(session, path, {
        encode: (request) =>
          toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)),
        decode: (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
      }),
    [Symbol.dispose]: () => session.destroy(),
  };
}

interface Codec<Request, Response> {
  encode(request: Request): Uint8Array;
  decode(bytes: Uint8Array): Response;
}

function open<Request, Response>(
  session: ClientHttp2Session,
  path: string,
  { encode, decode }: Codec<Request, Response>,
): ScriptedStream<Request, Response> {
  const stream = openCall(session, path);
  const waiting: Response[] = [];
  const takers: ((response: Response) => void)[] = [];
  let last: IncomingHttpHeaders = {};
  stream.on("response", (headers) => {
    if ("grpc-status" in headers) last = headers;
  });
  stream.on("trailers", (trailers) => {
    last = trailers;
  });
  stream.on("error", () => {}); // told by `ended`
  const ended = new Promise<{ status: string; message: string }>((done) => {
    stream.on("close", () =>
      done({
        status: String(last["grpc-status"] ?? `reset ${stream.rstCode}`),
        message: decodeURIComponent(String(last["grpc-message"] ?? "")),
      }),
    );
  });
  readFrames(stream, {
    bytesMax: 64 << 20,
    onRefused: () => stream.destroy(),
    onMessage(bytes) {
      const response = decode(bytes);
      const taker = takers.shift();
      if (taker === undefined) waiting.push(response);
      else taker(response);
    },
  });
  return {
    waiting,
    ended,
    send: (request) => void stream.write(frame(encode(request))),
    sendBytes: (bytes) => void stream.write(frame(bytes)),
    async next() {
      const response = waiting.shift();
      if (response !== undefined) return response;
      return await new Promise<Response>((done, fail) => {
        const late = setTimeout(() => fail(new Error("no response")), RESPONSE_MS_MAX);
        takers.push((response) => {
          clearTimeout(late);
          done(response);
        });
      });
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    close: () => stream.close(),
  };
}
