import { create } from "@bufbuild/protobuf";
import { hostMatches, type Resource, type Service, type ServicePort } from "@weft/core/mesh";
import {
  type Route,
  type RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import { inHostHeader } from "./address.ts";
import { isHttp } from "./destination.ts";
import { MESH } from "./gateway-ref.ts";
import { resolveHost } from "./host.ts";
import { pluginsOffAt } from "./http-filter.ts";
import type { Init } from "./init.ts";
import { DYNAMIC_DNS_CLUSTER } from "./name.ts";
import { defaultRoute, routesOf } from "./route.ts";
import type { Scope } from "./scope.ts";
import { createShared, viewKey } from "./shared.ts";
import { virtualServicesOn } from "./virtual-service.ts";

type VirtualHostInit = Init<typeof VirtualHostSchema>;
type VirtualService = Resource<"VirtualService">;

/** The port of a host that no service has: what a URL without a port means. */
const HTTP_PORT = 80;

/**
 * The virtual hosts of the outbound HTTP proxy: one for each HTTP port of each service, and one for
 * each host that only a VirtualService knows. The plain names of a host mean its lowest port.
 */
export function outboundVirtualHosts(scope: Scope): readonly VirtualHost[] {
  return shared(scope.mesh, viewKey(scope), () => makeVirtualHosts(scope));
}

const shared = createShared<readonly VirtualHost[]>();

function makeVirtualHosts(scope: Scope): readonly VirtualHost[] {
  const rules = rulesByHost(scope);
  const taken = new Set<string>();
  const hosts: VirtualHost[] = [];
  const services = [...scope.services.values()].sort(byHostname);
  const add = (init: VirtualHostInit & { domains: string[]; port: number }): void => {
    const { port, ...rest } = init;
    // Envoy refuses a table in which two hosts share a domain: the first one keeps it.
    const domains = rest.domains.filter((domain) => !taken.has(domain));
    for (const domain of domains) taken.add(domain);
    if (domains.length === 0) return;
    const typedPerFilterConfig = pluginsOffAt(scope, port);
    hosts.push(
      create(VirtualHostSchema, {
        ...rest,
        domains,
        typedPerFilterConfig,
        // As Istio does: the destination sees in `x-envoy-attempt-count` which try it is.
        includeRequestAttemptCount: true,
      }),
    );
  };
  for (const service of services) {
    const ports = service.ports.filter(({ protocol }) => isHttp(protocol));
    for (const port of ports) {
      add({
        name: `${service.hostname}:${port.number}`,
        domains: serviceDomains(scope, service, { port, isPlain: port === ports[0] }),
        routes: routesFor(scope, { service, port: port.number, source: rules(service.hostname) }),
        port: port.number,
      });
    }
  }
  for (const [host, source] of rules.unclaimed) {
    add({
      name: `${host}:${HTTP_PORT}`,
      domains: [host, `${host}:${HTTP_PORT}`],
      routes: routesOf({ scope, source, gateways: SIDECARS, port: HTTP_PORT }),
      port: HTTP_PORT,
    });
  }
  return hosts;
}

/** What becomes of requests for hosts that the mesh does not know. */
export function catchAllHosts(scope: Scope, own: readonly string[]): VirtualHost[] {
  const blocked = { case: "directResponse", value: { status: 502 } } as const;
  if (scope.settings.outbound === "REGISTRY_ONLY") {
    return [catchAll(scope, { name: "block_all", domains: ["*"], action: blocked })];
  }
  return [
    // The proxy would call itself without end.
    catchAll(scope, { name: "block_self", domains: [...own], action: blocked }),
    catchAll(scope, {
      name: "allow_any",
      domains: ["*"],
      action: {
        case: "route",
        value: {
          clusterSpecifier: { case: "cluster", value: DYNAMIC_DNS_CLUSTER },
          timeout: { seconds: 0n },
        },
      },
    }),
  ];
}

const SIDECARS: ReadonlySet<string> = new Set([MESH]);

/** Finds the VirtualService of a host: the oldest that names it, else that of the longest wildcard. */
interface RulesByHost {
  (hostname: string): VirtualService | undefined;
  /** Hosts without a service, with their VirtualService. */
  readonly unclaimed: readonly (readonly [string, VirtualService])[];
}

function rulesByHost(scope: Scope): RulesByHost {
  const byHost = new Map<string, VirtualService>();
  for (const source of virtualServicesOn(scope, MESH)) {
    for (const written of source.spec.hosts) {
      const host = resolveHost(scope.services, written, source.namespace);
      if (!byHost.has(host) && source.spec.http.length > 0) byHost.set(host, source);
    }
  }
  const patterns = [...byHost.keys()]
    .filter((host) => host.startsWith("*"))
    .sort((a, b) => b.length - a.length);
  const find = (hostname: string): VirtualService | undefined => {
    const pattern = patterns.find((each) => hostMatches(each, hostname));
    return byHost.get(hostname) ?? (pattern === undefined ? undefined : byHost.get(pattern));
  };
  const unclaimed = [...byHost]
    .filter(([host]) => !scope.services.has(host) && host !== "*")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.assign(find, { unclaimed });
}

function routesFor(
  scope: Scope,
  of: {
    readonly service: Service;
    readonly port: number;
    readonly source: VirtualService | undefined;
  },
): Route[] {
  const { service, port, source } = of;
  if (source === undefined) return [defaultRoute(scope, service, port)];
  return routesOf({ scope, source, gateways: SIDECARS, port });
}

/** All names that a client may write for a port of a service, in lower case. */
function serviceDomains(
  scope: Scope,
  { hostname, addresses }: Service,
  { port, isPlain }: { readonly port: ServicePort; readonly isPlain: boolean },
): string[] {
  const virtual = addresses
    .map((address) => address.replace(/\/(?:32|128)$/, ""))
    .filter((address) => !address.includes("/"))
    .map(inHostHeader);
  const names = [hostname, ...shortNames(hostname, scope.proxy.namespace), ...virtual];
  return names.flatMap((name) =>
    isPlain ? [name, `${name}:${port.number}`] : [`${name}:${port.number}`],
  );
}

/** `reviews` (from its own namespace), `reviews.default`, `reviews.default.svc`, and the dotted end. */
function shortNames(hostname: string, namespace: string): string[] {
  if (hostname.startsWith("*")) return [];
  const [service, own, svc, ...domain] = hostname.split(".");
  const absolute = `${hostname}.`;
  if (svc !== "svc" || domain.length === 0) return [absolute];
  const short = own === namespace ? [`${service}`] : [];
  return [absolute, ...short, `${service}.${own}`, `${service}.${own}.svc`];
}

function catchAll(
  scope: Scope,
  host: {
    readonly name: string;
    readonly domains: string[];
    readonly action: NonNullable<Init<typeof RouteSchema>["action"]>;
  },
): VirtualHost {
  const { name, domains, action } = host;
  // No port is known for a host that is not: plugins for certain ports do not look at it.
  const off = pluginsOffAt(scope, 0);
  const match = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  const routes = [{ name, match, action }];
  return create(VirtualHostSchema, { name, domains, routes, typedPerFilterConfig: off });
}

function byHostname(a: Service, b: Service): number {
  return a.hostname < b.hostname ? -1 : 1;
}
