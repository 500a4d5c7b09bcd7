import { constants, type ServerHttp2Stream } from "node:http2";
import { assert, WeftError } from "../error.ts";
import {
  type Clock,
  endGrpc,
  GRPC_STATUS,
  type GrpcCall,
  type GrpcRoutes,
  type GrpcStatus,
  openGrpc,
  type Peer,
  readFrames,
  STATUS_OF_KIND,
} from "../runtime/index.ts";
import { type Connections, createConnections, type Serving, WINDOW_BYTES } from "./connection.ts";
import { type DiscoveryRequest, readRequest, type Variant } from "./request.ts";
import type { Snapshot } from "./resource.ts";
import type { ResponseEncoder } from "./response.ts";
import { createDiscoveryStream, type DiscoveryStream, type Reply } from "./stream.ts";
import type { StreamStatus } from "./stream-status.ts";
import type { Answer } from "./subscription.ts";
import type { DiscoveryType } from "./type.ts";

/** A stream that a client has opened and whose node is known. */
export interface OpenStream {
  /** The encoded envoy.config.core.v3.Node of the first request. */
  readonly node: Buffer;
  readonly peer: Peer;
  readonly variant: Variant;
  /** Sets what this client should have; what differs is sent as fast as it takes it. */
  update(snapshot: Snapshot, revision: number): void;
  /** Ends the stream; the client tries again, here or at another server. */
  end(status: GrpcStatus, message: string): void;
  status(): StreamStatus;
}

/** Hears what happens on one stream. */
export interface StreamListener {
  sent?(reply: Reply): void;
  /** An ACK or a NACK, after its effects. */
  answered?(answer: Answer): void;
  /** Something to be logged: a type that is not served, a limit that opened a gate. */
  flagged?(sentence: string): void;
  closed?(): void;
}

/** Where the snapshots of a server come from. */
export interface DiscoverySource {
  /**
   * Looks at who opens a stream, before anything of it is read.
   *
   * @throws WeftError, which ends the stream with the status of its kind.
   */
  admit?(peer: Peer): void;
  /**
   * Takes in a client. Its snapshot may come at once or later, through `stream.update`.
   *
   * @throws WeftError, which ends the stream with the status of its kind.
   */
  open(stream: OpenStream): StreamListener;
}

export interface DiscoveryServer extends AsyncDisposable {
  /** All types on one stream. */
  aggregated(source: DiscoverySource): GrpcRoutes;
  /** One service for each type. */
  single(types: readonly DiscoveryType[], source: DiscoverySource): GrpcRoutes;
}

export interface DiscoveryServerOptions {
  readonly clock: Clock;
  readonly encoder: ResponseEncoder;
  /** How long a client may leave what was sent to it unread. */
  readonly stallMsMax?: number;
  /** How long a client may take to send its first request. */
  readonly firstRequestMsMax?: number;
  /** About how old a connection may grow, and no older than its client's certificate. */
  readonly ageMsMax?: number;
  /** Over how long a stop spreads the ends of its streams, so that clients do not return at once. */
  readonly drainMs?: number;
}

/** A reconnecting proxy names all it has: 1 MiB for 10,000 resources, and room for 300,000. */
const REQUEST_BYTES_MAX = 32 << 20;

/** Envoy's windows are 16 MiB: a client that has not drained them in this time reads no more. */
const STALL_MS_MAX = 30_000;

/** Long enough that a hundred proxies do not reconnect as one, short enough for a restart. */
const DRAIN_MS = 500;

/** Envoy sends its first request with the stream; who opens one for nothing holds memory for it. */
const FIRST_REQUEST_MS_MAX = 10_000;

/** How long a client has to close a stream that was ended, before it is reset. */
const LINGER_MS = 1_000;

/** Below this, one copy is cheaper than a write of three parts. */
const JOINED_BYTES_MAX = 16 << 10;

/** A gateway opens one ADS stream and one for each secret. */
const STREAMS_MAX = 1_000;

/** Options for the http2 server that these streams run on. */
export const discoveryServerOptions = {
  // Queued data counts against it, and one large response would refuse further streams: what is
  // queued is bounded here, by one unanswered response of each type.
  maxSessionMemory: 1 << 20,
  settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: STREAMS_MAX },
} as const;

interface ServerState {
  readonly options: DiscoveryServerOptions;
  readonly open: Set<Serving>;
  readonly connections: Connections;
}

interface Binding {
  readonly variant: Variant;
  /** Undefined on ADS. */
  readonly type: DiscoveryType | undefined;
  readonly source: DiscoverySource;
}

const ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** Serves discovery streams. Disposing ends them all with UNAVAILABLE, each at its own time. */
export function createDiscoveryServer(options: DiscoveryServerOptions): DiscoveryServer {
  const connections = createConnections(options);
  const state: ServerState = { options, open: new Set(), connections };
  const handler = (binding: Binding) => (call: GrpcCall) => serve(state, binding, call);
  return {
    aggregated: (source) => ({
      [`${ADS}/StreamAggregatedResources`]: handler({ variant: "sotw", type: undefined, source }),
      [`${ADS}/DeltaAggregatedResources`]: handler({ variant: "delta", type: undefined, source }),
    }),
    single: (types, source) =>
      Object.fromEntries(
        types.flatMap((type) => [
          [`/${type.service}/${type.sotw}`, handler({ variant: "sotw", type, source })],
          [`/${type.service}/${type.delta}`, handler({ variant: "delta", type, source })],
        ]),
      ),
    async [Symbol.asyncDispose]() {
      const drainMs = options.drainMs ?? DRAIN_MS;
      const ends = [...state.open].map(async (serving) => {
        await new Promise((done) => setTimeout(done, Math.random() * drainMs));
        serving.end(GRPC_STATUS.unavailable, "the server stops");
        await serving.closed;
      });
      await Promise.all(ends);
    },
  };
}

/** One call: its socket, its timers, and the machine between them. */
function serve(server: ServerState, { variant, type, source }: Binding, call: GrpcCall): void {
  const { stream } = call;
  const { clock, encoder, stallMsMax = STALL_MS_MAX } = server.options;
  const { firstRequestMsMax = FIRST_REQUEST_MS_MAX } = server.options;
  const machine = createDiscoveryStream({ variant, aggregated: type === undefined });
  const timers = createTimers();
  let listener: StreamListener | undefined;
  let ended = false;

  const end = (status: GrpcStatus, message: string): void => {
    if (ended) return;
    ended = true;
    timers.stop();
    clearTimeout(waiting);
    endGrpc(stream, status, message);
    const linger = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
    stream.once("close", () => clearTimeout(linger));
  };
  const pump = (): void => {
    if (ended || stream.destroyed) return;
    if (!stream.writableNeedDrain) {
      const { replies, flags } = machine.flush(clock.now());
      for (const flag of flags) listener?.flagged?.(flag);
      for (const reply of replies) {
        write(stream, encoder.encode(variant, reply));
        listener?.sent?.(reply);
      }
      timers.wake(machine.wakeAtMs(), clock.now(), pump);
    }
    if (stream.writableNeedDrain) {
      timers.stall(stallMsMax, () => {
        listener?.flagged?.(`the proxy read nothing for ${stallMsMax} ms; its stream is reset`);
        stream.close(constants.NGHTTP2_CANCEL);
      });
    }
  };
  const take = (message: Buffer): void => {
    const read = readRequest(variant, message, { wantsNode: listener === undefined });
    const request = bind(read, type);
    clearTimeout(waiting);
    listener ??= source.open(openStream({ call, variant, machine, end, pump }, request));
    const received = machine.receive(request, clock.now());
    if (received?.case === "unknown_type") {
      listener.flagged?.(`type ${received.typeUrl} is not served`);
    }
    pump();
    if (received?.case === "answer") listener.answered?.(received.answer);
  };

  const closed = Promise.withResolvers<void>();
  const serving: Serving = { end, closed: closed.promise };
  server.open.add(serving);
  const { budget } = server.connections.take(call, serving);
  const waiting = setTimeout(() => {
    end(GRPC_STATUS.deadlineExceeded, `no request came in ${firstRequestMsMax} ms`);
  }, firstRequestMsMax);
  openGrpc(stream);
  stream.on("drain", () => {
    timers.drained();
    pump();
  });
  stream.on("end", () => end(GRPC_STATUS.ok, ""));
  stream.on("close", () => {
    ended = true;
    timers.stop();
    clearTimeout(waiting);
    server.open.delete(serving);
    closed.resolve();
    listener?.closed?.();
  });
  const orEnd = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      assert(error instanceof WeftError, `a discovery stream: ${String(error)}`);
      end(STATUS_OF_KIND[error.kind], error.message);
    }
  };
  orEnd(() => source.admit?.(call.peer));
  readFrames(stream, {
    bytesMax: REQUEST_BYTES_MAX,
    budget,
    onRefused: end,
    onMessage(message) {
      if (!ended) orEnd(() => take(message));
    },
  });
}

/** A stream of one type implies its type URL and refuses another. */
function bind(request: DiscoveryRequest, type: DiscoveryType | undefined): DiscoveryRequest {
  if (type === undefined || request.typeUrl === type.url) return request;
  if (request.typeUrl === "") return { ...request, typeUrl: type.url };
  const message = `${request.typeUrl} on a stream of ${type.short}`;
  throw new WeftError("invalid", "xds.bad_request", message);
}

interface OpenStreamParts {
  readonly call: GrpcCall;
  readonly variant: Variant;
  readonly machine: DiscoveryStream;
  readonly end: (status: GrpcStatus, message: string) => void;
  readonly pump: () => void;
}

function openStream(parts: OpenStreamParts, request: DiscoveryRequest): OpenStream {
  const { call, variant, machine, end, pump } = parts;
  if (request.node === undefined) {
    throw new WeftError("invalid", "xds.bad_request", "the first request carries no node");
  }
  return {
    node: request.node,
    peer: call.peer,
    variant,
    end,
    status: machine.status,
    update(snapshot, revision) {
      machine.update(snapshot, revision);
      pump();
    },
  };
}

/** Writes one response: the length, the shared bytes, and what is this stream's own. */
function write(stream: ServerHttp2Stream, parts: readonly Buffer[]): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  if (length <= JOINED_BYTES_MAX) {
    stream.write(Buffer.concat([prefix, ...parts]));
    return;
  }
  stream.cork();
  for (const part of [prefix, ...parts]) stream.write(part);
  stream.uncork();
}

interface Timers {
  /** Calls back at a time, in place of the one set before. */
  wake(atMs: number | undefined, nowMs: number, callback: () => void): void;
  /** Calls back unless it drains in time. */
  stall(afterMs: number, callback: () => void): void;
  drained(): void;
  stop(): void;
}

function createTimers(): Timers {
  let waking: NodeJS.Timeout | undefined;
  let stalling: NodeJS.Timeout | undefined;
  return {
    wake(atMs, nowMs, callback) {
      clearTimeout(waking);
      waking = atMs === undefined ? undefined : setTimeout(callback, Math.max(0, atMs - nowMs));
    },
    stall(afterMs, callback) {
      stalling ??= setTimeout(callback, afterMs);
    },
    drained() {
      clearTimeout(stalling);
      stalling = undefined;
    },
    stop() {
      clearTimeout(waking);
      clearTimeout(stalling);
    },
  };
}
