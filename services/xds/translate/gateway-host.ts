import { create } from "@bufbuild/protobuf";
import type { Resource } from "@weft/core/mesh";
import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost,
  VirtualHostSchema,
} from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { GatewayPort, GatewayServer } from "./gateway.ts";
import { intersectHosts, resolveHost } from "./host.ts";
import { takesEverything } from "./match.ts";
import { routesOf } from "./route.ts";
import type { Scope } from "./scope.ts";
import { virtualServicesOn } from "./virtual-service.ts";

interface HostRoutes {
  readonly routes: Route[];
  readonly redirectsToHttps: boolean;
}

const nothing: HostRoutes = { routes: [], redirectsToHttps: false };

/**
 * The virtual hosts of a gateway's port: the hosts that its servers and the VirtualServices bound
 * to them have in common. VirtualServices of one host add up, the oldest first.
 */
export function gatewayVirtualHosts(scope: Scope, at: GatewayPort): VirtualHost[] {
  const hosts = new Map<string, HostRoutes>();
  for (const server of at.servers) {
    const redirectsToHttps = server.server.tls?.httpsRedirect ?? false;
    const name = `${server.gateway.namespace}/${server.gateway.name}`;
    for (const source of virtualServicesOn(scope, name)) {
      const common = commonHosts(scope, server, source);
      if (common.length === 0) continue;
      const gateways = new Set([name]);
      const routes = routesOf({ scope, source, gateways, port: at.port });
      for (const host of common) {
        const known = hosts.get(host) ?? nothing;
        const added = routes.filter((route) => !known.routes.includes(route));
        hosts.set(host, {
          routes: [...known.routes, ...added],
          redirectsToHttps: redirectsToHttps || known.redirectsToHttps,
        });
      }
    }
    // Without routes of their own these hosts still send everybody to HTTPS.
    for (const { host } of redirectsToHttps ? serverHosts(server) : []) {
      hosts.set(host, { ...(hosts.get(host) ?? nothing), redirectsToHttps });
    }
  }
  if (hosts.size === 0) return [nowhere(at.port)];
  return [...hosts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, { routes, redirectsToHttps }]) =>
      create(VirtualHostSchema, {
        name: `${host}:${at.port}`,
        domains: [host],
        routes: catchAllsLast(routes),
        includeRequestAttemptCount: true,
        requireTls: redirectsToHttps ? TlsRequirement.ALL : TlsRequirement.NONE,
      }),
    );
}

/** Answers 404: nothing is routed yet. */
function nowhere(port: number): VirtualHost {
  return create(VirtualHostSchema, { name: `blackhole:${port}`, domains: ["*"] });
}

/** Hosts of a server, `namespace/host` taken apart: only VirtualServices from there may use them. */
function serverHosts({
  gateway,
  server,
}: GatewayServer): readonly { readonly namespace: string; readonly host: string }[] {
  return server.hosts.map((written) => {
    const slash = written.indexOf("/");
    const namespace = slash < 0 ? "*" : written.slice(0, slash);
    return {
      namespace: namespace === "." ? gateway.namespace : namespace,
      host: written.slice(slash + 1).toLowerCase(),
    };
  });
}

function commonHosts(
  scope: Scope,
  server: GatewayServer,
  source: Resource<"VirtualService">,
): readonly string[] {
  const own = source.spec.hosts.map((host) => resolveHost(scope.services, host, source.namespace));
  const common = serverHosts(server)
    .filter(({ namespace }) => namespace === "*" || namespace === source.namespace)
    .flatMap(({ host }) => own.map((each) => intersectHosts(host, each)));
  return [...new Set(common.filter((host) => host !== undefined))];
}

/** A route for everything would hide those of a younger VirtualService. */
function catchAllsLast(routes: readonly Route[]): Route[] {
  const isLast = ({ match }: Route): boolean => match !== undefined && takesEverything(match);
  return [...routes.filter((route) => !isLast(route)), ...routes.filter(isLast)];
}
