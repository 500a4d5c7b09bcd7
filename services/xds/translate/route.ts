import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { labelsMatch, type Resource, type Service } from "@weft/core/mesh";
import {
  type Route,
  type RouteActionSchema,
  RouteSchema,
} from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { HttpMatchRequest } from "@weft/proto/weft/mesh/v1/match_pb.ts";
import type {
  Destination,
  HttpDirectResponse,
  HttpRoute,
  HttpRouteDestination,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { CORS_FILTER, corsConfig } from "./cors.ts";
import { portPolicy } from "./destination-rule.ts";
import { ifPositive, seconds } from "./duration.ts";
import { FAULT_FILTER, faultConfig } from "./fault.ts";
import { gatewayRef } from "./gateway-ref.ts";
import { headerChanges, rewrittenHost } from "./headers.ts";
import { resolveHost } from "./host.ts";
import type { Init } from "./init.ts";
import { consistentHashOf, hashPolicies } from "./load-balancer.ts";
import { routeMatch, takesEverything } from "./match.ts";
import { mirrorPolicies } from "./mirror.ts";
import { BLACK_HOLE_CLUSTER, configPath, outboundCluster } from "./name.ts";
import { redirectAction } from "./redirect.ts";
import { retryPolicy } from "./retry.ts";
import { rewriteAction } from "./rewrite.ts";
import type { Scope } from "./scope.ts";

type RouteInit = Init<typeof RouteSchema>;
type RouteActionInit = Init<typeof RouteActionSchema>;

/** Where routes are made for: a VirtualService on the port of one listener or service. */
export interface RouteSite {
  readonly scope: Scope;
  readonly source: Resource<"VirtualService">;
  /** The gateways that the listener stands for: `mesh`, or `namespace/name` of Gateways. */
  readonly gateways: ReadonlySet<string>;
  readonly port: number;
}

/** The routes of a VirtualService, in its order; what comes after one for everything is left out. */
export function routesOf(site: RouteSite): Route[] {
  const routes: Route[] = [];
  for (const rule of site.source.spec.http) {
    const matches = rule.match.length === 0 ? [undefined] : rule.match;
    for (const match of matches) {
      if (match !== undefined && !concerns(site, match)) continue;
      const route = create(RouteSchema, routeInit(site, rule, match));
      routes.push(route);
      if (route.match !== undefined && takesEverything(route.match)) return routes;
    }
  }
  return routes;
}

/** The one route of a service that no VirtualService speaks about. */
export function defaultRoute(scope: Scope, service: Service, port: number): Route {
  const { loadBalancer } = portPolicy(scope.destinationRules(service), port);
  const retries = retryPolicy(
    scope.settings.config?.defaultHttpRetryPolicy,
    consistentHashOf(loadBalancer) !== undefined,
  );
  return create(RouteSchema, {
    name: "default",
    match: routeMatch(undefined),
    action: {
      case: "route",
      value: {
        clusterSpecifier: {
          case: "cluster",
          value: outboundCluster({ host: service.hostname, port }),
        },
        ...timeouts(undefined),
        ...(retries && { retryPolicy: retries }),
        hashPolicy: hashPolicies(loadBalancer),
      },
    },
    decorator: { operation: `${service.hostname}:${port}/*` },
  });
}

/** What of a match is decided here because Envoy does not see it. */
function concerns({ scope, source, gateways, port }: RouteSite, match: HttpMatchRequest): boolean {
  if (match.port !== 0 && match.port !== port) return false;
  if (match.sourceNamespace !== "" && match.sourceNamespace !== scope.proxy.namespace) return false;
  if (!labelsMatch(match.sourceLabels, scope.proxy.labels)) return false;
  // Claims of a token: nothing verifies tokens yet, so no request has any.
  if (Object.keys(match.headers).some((name) => name.startsWith("@"))) return false;
  const named = match.gateways.map((name) => gatewayRef(name, source.namespace));
  return named.length === 0 || named.some((name) => gateways.has(name));
}

function routeInit(
  site: RouteSite,
  rule: HttpRoute,
  match: HttpMatchRequest | undefined,
): RouteInit {
  const { namespace, name } = site.source;
  const envoyMatch = routeMatch(match);
  return {
    name: [rule.name, match?.name].filter((part) => part).join(".") || "default",
    match: envoyMatch,
    ...(match?.statPrefix && { statPrefix: match.statPrefix }),
    metadata: {
      filterMetadata: { istio: { config: configPath("virtual-service", namespace, name) } },
    },
    decorator: { operation: operation(site, rule, envoyMatch) },
    typedPerFilterConfig: filterConfigs(rule),
    ...headerChanges(rule.headers, onlyDestination(rule)?.headers),
    action: action(site, rule),
  };
}

function action(site: RouteSite, rule: HttpRoute): NonNullable<RouteInit["action"]> {
  if (rule.redirect !== undefined) {
    return { case: "redirect", value: redirectAction(rule.redirect, site.port) };
  }
  if (rule.directResponse !== undefined) {
    return { case: "directResponse", value: directResponse(rule.directResponse) };
  }
  return { case: "route", value: forward(site, rule) };
}

function forward(site: RouteSite, rule: HttpRoute): RouteActionInit {
  const balancers = rule.route.flatMap(({ destination }) =>
    destination === undefined ? [] : [loadBalancerOf(site, destination)],
  );
  const usesHash = balancers.some((each) => consistentHashOf(each) !== undefined);
  const retries = retryPolicy(
    rule.retries ?? site.scope.settings.config?.defaultHttpRetryPolicy,
    usesHash,
  );
  const host = rewrittenHost(rule.headers) ?? rewrittenHost(onlyDestination(rule)?.headers);
  const hashPolicy = new Map(
    balancers.flatMap(hashPolicies).map((each) => [hashKey(each), each] as const),
  );
  return {
    clusterSpecifier: clusterSpecifier(site, rule),
    ...timeouts(rule),
    ...(retries && { retryPolicy: retries }),
    ...rewriteAction(rule.rewrite, host),
    requestMirrorPolicies: mirrorPolicies(rule, (destination) => clusterOf(site, destination)),
    hashPolicy: [...hashPolicy.values()],
  };
}

function clusterSpecifier(
  site: RouteSite,
  rule: HttpRoute,
): NonNullable<RouteActionInit["clusterSpecifier"]> {
  const only = onlyDestination(rule);
  if (only !== undefined) return { case: "cluster", value: nameOf(site, only) };
  const weighted = rule.route.filter(({ weight }) => weight > 0);
  // A rule that leads nowhere takes its requests all the same, and answers 503.
  if (weighted.length === 0) return { case: "cluster", value: BLACK_HOLE_CLUSTER };
  const clusters = weighted.map((each) => {
    const host = rewrittenHost(each.headers);
    return {
      name: nameOf(site, each),
      weight: each.weight,
      ...headerChanges(each.headers),
      ...(host !== undefined && {
        hostRewriteSpecifier: { case: "hostRewriteLiteral", value: host } as const,
      }),
    };
  });
  return { case: "weightedClusters", value: { clusters } };
}

/** The destination of a rule that has one only: no weights are needed then. */
function onlyDestination(rule: HttpRoute): HttpRouteDestination | undefined {
  const [first, second] = rule.route;
  if (first !== undefined && second === undefined) return first;
  const weighted = rule.route.filter(({ weight }) => weight > 0);
  return weighted.length === 1 ? weighted[0] : undefined;
}

function nameOf(site: RouteSite, { destination }: HttpRouteDestination): string {
  return destination === undefined ? BLACK_HOLE_CLUSTER : clusterOf(site, destination);
}

/** Kept as written if there is no such service or subset: Envoy then answers 503 and says why. */
function clusterOf(site: RouteSite, destination: Destination): string {
  const { host, port } = locate(site, destination);
  return outboundCluster({ host, port, subset: destination.subset });
}

function locate({ scope, source, port }: RouteSite, destination: Destination) {
  const host = resolveHost(scope.services, destination.host, source.namespace);
  const service = scope.services.get(host);
  const wanted = destination.port?.number ?? 0;
  if (wanted !== 0) return { host, service, port: wanted };
  const [first, second] = service?.ports ?? [];
  const only = second === undefined ? first : undefined;
  return { host, service, port: only?.number ?? port };
}

function loadBalancerOf(site: RouteSite, destination: Destination) {
  const { service, port } = locate(site, destination);
  if (service === undefined) return undefined;
  const policy = site.scope.destinationRules(service);
  const subset = policy?.subsets.find(({ name }) => name === destination.subset);
  return portPolicy(policy, port, subset).loadBalancer;
}

/**
 * No limit unless one is set. What a gRPC client asks for is kept to only where nothing else is:
 * Envoy ignores `timeout` on every route that has a `maxStreamDuration`.
 */
function timeouts(
  rule: HttpRoute | undefined,
): Pick<RouteActionInit, "timeout" | "maxStreamDuration"> {
  const timeout = ifPositive(rule?.timeout);
  if (timeout !== undefined) return { timeout };
  return { timeout: seconds(0), maxStreamDuration: { grpcTimeoutHeaderMax: seconds(0) } };
}

function directResponse({ status, body }: HttpDirectResponse) {
  const { case: kind, value } = body?.specifier ?? { case: undefined };
  switch (kind) {
    case "string":
      return { status, body: { specifier: { case: "inlineString", value } } } as const;
    case "bytes":
      return { status, body: { specifier: { case: "inlineBytes", value } } } as const;
    case undefined:
      return { status };
  }
}

function filterConfigs(rule: HttpRoute): Record<string, Any> {
  const fault = faultConfig(rule.fault);
  const cors = corsConfig(rule.corsPolicy);
  return { ...(cors && { [CORS_FILTER]: cors }), ...(fault && { [FAULT_FILTER]: fault }) };
}

/** `host:port/path*`, what tracing shows for the route. */
function operation(site: RouteSite, rule: HttpRoute, match: RouteInit["match"]): string {
  const only = onlyDestination(rule)?.destination;
  const at = only === undefined ? undefined : locate(site, only);
  const target = at === undefined ? `${site.source.name}:${site.port}` : `${at.host}:${at.port}`;
  const path = match?.pathSpecifier;
  switch (path?.case) {
    case "path":
      return target + path.value;
    case "safeRegex":
      return target + (path.value.regex ?? "");
    default:
      return `${target}${path?.case === "prefix" ? path.value : "/"}*`;
  }
}

function hashKey(policy: ReturnType<typeof hashPolicies>[number]): string {
  const { case: kind, value } = policy.policySpecifier ?? {};
  return `${kind} ${JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each))}`;
}
