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

/** ADS and the service of each type, in both encodings, for the proxies of a mesh. */
export function serveXds(options: ServeXdsOptions): AsyncDisposable & XdsRoutes {
  const { replica, clock, mesh, projector, proxies } = options;
  const server = createDiscoveryServer({ clock, encoder: createResponseEncoder(replica) });
  let caughtUp = false;
  mesh.caughtUp.then(
    () => {
      caughtUp = true;
    },
    () => {}, // the fold ended before: it says why, and nothing is served
  );
  const source = (identified: boolean): DiscoverySource => ({
    open(stream) {
      // Half a log looks like a mesh where half of everything was deleted.
      if (!caughtUp) throw new WeftError("unavailable", "xds.not_ready", "the log is being read");
      const node = readNode(stream.node);
      if (identified) checkIdentity(node.proxy, stream.peer, mesh.state.trustDomain);
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
