import { WeftError } from "@weft/core/error";
import type { Clock, GrpcRoutes } from "@weft/core/runtime";
import {
  createDiscoveryServer,
  createResponseEncoder,
  DISCOVERY_TYPES,
  type DiscoverySource,
} from "@weft/core/stream";
import { checkIdentity } from "./identity.ts";
import { readNode } from "./node.ts";
import type { MeshSource, Projector } from "./project.ts";
import type { Proxies } from "./proxies.ts";

/** What the listeners of the xDS role serve. */
export interface XdsRoutes {
  /** Takes every client at its word: for loopback, or where the network vouches. */
  readonly plaintext: GrpcRoutes;
  /** Takes a client only with the certificate of the workload it says it is. */
  readonly tls: GrpcRoutes;
}

export interface ServeXdsOptions {
  /** Names this replica in every response. */
  readonly replica: string;
  readonly clock: Clock;
  readonly mesh: MeshSource;
  readonly projector: Projector;
  readonly proxies: Proxies;
}

/**
 * About how old a connection may grow. A reconnect costs next to nothing, since nothing is sent
 * again; without it, a proxy would be served for as long as it stays, whatever became of its
 * certificate, and a replica that came later would have none.
 */
const CONNECTION_AGE_MS_MAX = 30 * 60_000;

/** ADS and the service of each type, in both encodings, for the proxies of a mesh. */
export function serveXds(options: ServeXdsOptions): AsyncDisposable & XdsRoutes {
  const { replica, clock, mesh, projector, proxies } = options;
  const server = createDiscoveryServer({
    clock,
    encoder: createResponseEncoder(replica),
    ageMsMax: CONNECTION_AGE_MS_MAX,
  });
  let caughtUp = false;
  mesh.caughtUp.then(
    () => {
      caughtUp = true;
    },
    () => {}, // the fold ended before: it says why, and nothing is served
  );
  const source = (identified: boolean): DiscoverySource => ({
    admit(peer) {
      // A stranger's requests are not worth their memory.
      if (!identified || peer.spiffeId !== undefined) return;
      throw new WeftError("denied", "xds.denied", "the connection has no certificate of the mesh");
    },
    open(stream) {
      // Half a log looks like a mesh where half of everything was deleted.
      if (!caughtUp) throw new WeftError("unavailable", "xds.not_ready", "the log is being read");
      const node = readNode(stream.node);
      if (identified) {
        const { trustDomain } = mesh.state;
        checkIdentity(node.proxy, stream.peer, { trustDomain, nowMs: clock.now() });
      }
      const listener = proxies.add(stream, node);
      const leave = projector.join(node.proxy, stream.update);
      return {
        ...listener,
        closed() {
          leave();
          listener.closed?.();
        },
      };
    },
  });
  const routes = (identified: boolean): GrpcRoutes => ({
    ...server.aggregated(source(identified)),
    ...server.single(DISCOVERY_TYPES, source(identified)),
  });
  return {
    plaintext: routes(false),
    tls: routes(true),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
