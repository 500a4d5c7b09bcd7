import { createHash } from "node:crypto";
import { createServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { dispatch, type GrpcRoutes, systemClock } from "@weft/core/runtime";
import {
  type Answer,
  createDiscoveryServer,
  createResponseEncoder,
  DISCOVERY_TYPES,
  discoveryServerOptions,
  type OpenStream,
  type Reply,
  type Snapshot,
  type SnapshotResource,
} from "@weft/core/stream";

/** A server of hand-made snapshots: one for all who connect. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly replies: Reply[];
  readonly answers: Answer[];
  readonly flags: string[];
  readonly streams: Set<OpenStream>;
  /** Gives every stream, and those to come, another snapshot. */
  set(snapshot: Snapshot): void;
}

export async function startTestServer(
  snapshot: Snapshot,
  options: {
    readonly identifier?: string;
    readonly stallMsMax?: number;
    readonly firstRequestMsMax?: number;
    readonly ageMsMax?: number;
    readonly onAnswer?: () => void;
  } = {},
): Promise<TestServer> {
  const { identifier = "test-1", onAnswer, ...limits } = options;
  const replies: Reply[] = [];
  const answers: Answer[] = [];
  const flags: string[] = [];
  const streams = new Set<OpenStream>();
  let [current, revision] = [snapshot, 1];
  const discovery = createDiscoveryServer({
    clock: systemClock,
    encoder: createResponseEncoder(identifier),
    drainMs: 10,
    ...limits,
  });
  const source = {
    open(stream: OpenStream) {
      streams.add(stream);
      stream.update(current, revision);
      return {
        sent: (reply: Reply) => void replies.push(reply),
        answered(answer: Answer) {
          answers.push(answer);
          onAnswer?.();
        },
        flagged: (flag: string) => void flags.push(flag),
        closed: () => void streams.delete(stream),
      };
    },
  };
  const server = await listen({
    ...discovery.aggregated(source),
    ...discovery.single(DISCOVERY_TYPES, source),
  });
  return {
    port: server.port,
    replies,
    answers,
    flags,
    streams,
    set(next) {
      current = next;
      revision += 1;
      for (const stream of streams) stream.update(next, revision);
    },
    async [Symbol.asyncDispose]() {
      await discovery[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Routes on a plaintext http2 server on a free port of 127.0.0.1. */
export async function listen(
  routes: GrpcRoutes,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sessions = new Set<Http2Session>();
  const server = createServer(discoveryServerOptions);
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {}); // its client is gone; the test looks at the streams
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => dispatch(routes, stream, headers));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A message as a resource, with the hash of its bytes as version. */
export function resource<D extends DescMessage>(
  schema: D,
  name: string,
  init: MessageInitShape<D>,
): SnapshotResource & { readonly typeUrl: string } {
  const any = anyPack(schema, create(schema, init));
  const body = toBinary(AnySchema, any);
  const version = createHash("sha256").update(body).digest("base64url").slice(0, 11);
  return { name, version, body, typeUrl: any.typeUrl };
}

/** Resources as a snapshot. */
export function snapshot(
  resources: readonly (SnapshotResource & { readonly typeUrl: string })[],
): Snapshot {
  const types = new Map<string, Map<string, SnapshotResource>>();
  for (const { typeUrl, ...rest } of resources) {
    const type = types.get(typeUrl) ?? new Map<string, SnapshotResource>();
    types.set(typeUrl, type.set(rest.name, rest));
  }
  return types;
}

/** Waits until something holds, looking again whenever the event loop has turned. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
