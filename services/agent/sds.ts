import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:http2";
import { connect, type Socket } from "node:net";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { WeftError } from "@weft/core/error";
import { type Clock, dispatch, type Logger } from "@weft/core/runtime";
import {
  createDiscoveryServer,
  createResponseEncoder,
  type DiscoverySource,
  discoveryServerOptions,
  type OpenStream,
  SECRET,
  type Snapshot,
  type SnapshotResource,
} from "@weft/core/stream";
import { SecretSchema } from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import type { Identity } from "./certificate.ts";
import type { IdentityKeeper } from "./identity.ts";
import { CERTIFICATE_SECRET, ROOT_SECRET } from "./secret.ts";

/** `sun_path` has 108 bytes on Linux and 104 on macOS, the last one zero. */
const SOCKET_PATH_BYTES_MAX = 103;

export interface SecretServerOptions {
  /** Of the Unix socket, in a folder that only its owner may enter. */
  readonly path: string;
  readonly keeper: IdentityKeeper;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Serves the secrets of one workload over SDS, both encodings, on a Unix socket: `default` and
 * `ROOTCA`, again after every renewal.
 *
 * @throws WeftError invalid `agent.bad_folder` if the path is too long or another agent listens there.
 */
export async function serveSecrets(options: SecretServerOptions): Promise<AsyncDisposable> {
  const { path, keeper, clock, log } = options;
  await clearSocket(path);
  const discovery = createDiscoveryServer({
    clock,
    encoder: createResponseEncoder("weft-agent"),
    // One Envoy, and it stops before: nobody's return needs to be spread.
    drainMs: 0,
  });
  const routes = discovery.single([SECRET], secretSource(keeper, log));
  const sockets = new Set<Socket>();
  const server = createServer(discoveryServerOptions);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // The other end is gone; it connects again if it wants to.
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream, headers) => dispatch(routes, stream, headers));
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      await discovery[Symbol.asyncDispose]();
      const closed = new Promise((done) => server.close(done));
      // A session that is told to close waits for its client; a socket does not.
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

function secretSource(keeper: IdentityKeeper, log: Logger): DiscoverySource {
  let revision = 0;
  let snapshot = secretsOf(keeper.current());
  const streams = new Set<OpenStream>();
  keeper.onRenew((identity) => {
    revision += 1;
    snapshot = secretsOf(identity);
    for (const stream of streams) stream.update(snapshot, revision);
  });
  return {
    open(stream) {
      streams.add(stream);
      stream.update(snapshot, revision);
      return {
        answered(answer) {
          if (answer.refusal === undefined) return;
          log.error({ names: answer.names, why: answer.refusal }, "envoy refuses a secret");
        },
        closed: () => void streams.delete(stream),
      };
    },
  };
}

/** The two secrets of an identity. A version is a digest of certificates only, for Envoy shows it. */
export function secretsOf(identity: Identity): Snapshot {
  const { keyPem, chainPem, rootsPem } = identity;
  const roots = rootsPem.join("");
  const resources = [
    resource(CERTIFICATE_SECRET, chainPem, {
      case: "tlsCertificate",
      value: { certificateChain: inline(chainPem), privateKey: inline(keyPem) },
    }),
    resource(ROOT_SECRET, roots, {
      case: "validationContext",
      value: { trustedCa: inline(roots) },
    }),
  ];
  return new Map([[SECRET.url, new Map(resources.map((each) => [each.name, each]))]]);
}

type SecretContent = Exclude<MessageInitShape<typeof SecretSchema>["type"], undefined>;

function resource(name: string, certificates: string, type: SecretContent): SnapshotResource {
  const value = toBinary(SecretSchema, create(SecretSchema, { name, type }));
  return {
    name,
    version: createHash("sha256").update(certificates).digest("hex").slice(0, 32),
    body: toBinary(AnySchema, create(AnySchema, { typeUrl: SECRET.url, value })),
  };
}

function inline(pem: string): { specifier: { case: "inlineBytes"; value: Uint8Array } } {
  return { specifier: { case: "inlineBytes", value: new TextEncoder().encode(pem) } };
}

/** Removes the socket that an agent left when it was killed, and only that. */
async function clearSocket(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    const message = `${path} has ${bytes} bytes, a Unix socket's path at most ${SOCKET_PATH_BYTES_MAX}`;
    throw new WeftError("invalid", "agent.bad_folder", message);
  }
  if (await isListening(path)) {
    throw new WeftError("invalid", "agent.bad_folder", `another agent listens on ${path}`);
  }
  rmSync(path, { force: true });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    const answer = (listens: boolean): void => {
      socket.destroy();
      done(listens);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}
