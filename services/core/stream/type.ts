/** What the protocol says of one type of resource (xds_protocol.rst). */
export interface DiscoveryType {
  /** `CDS`, as people say it. */
  readonly short: string;
  readonly url: string;
  /** The service that serves this type alone, and its two methods. */
  readonly service: string;
  readonly sotw: string;
  readonly delta: string;
  /** A SotW response is the complete set, and a first request without names is the wildcard. */
  readonly complete: boolean;
  /**
   * What a subscriber of an absent name hears. Envoy 1.40 hangs a warming listener for ever when a
   * route or an extension is called removed, so for those there is silence.
   */
  readonly absent: "removed" | "silent";
  /** One resource in a response: Envoy rejects the good ones beside a bad one. */
  readonly alone: boolean;
  /** Its changes wait until the clusters they may point at have endpoints. */
  readonly gated: boolean;
}

const PREFIX = "type.googleapis.com/";

export const CLUSTER: DiscoveryType = {
  short: "CDS",
  url: `${PREFIX}envoy.config.cluster.v3.Cluster`,
  service: "envoy.service.cluster.v3.ClusterDiscoveryService",
  sotw: "StreamClusters",
  delta: "DeltaClusters",
  complete: true,
  absent: "removed",
  alone: false,
  gated: false,
};

export const ENDPOINT: DiscoveryType = {
  short: "EDS",
  url: `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`,
  service: "envoy.service.endpoint.v3.EndpointDiscoveryService",
  sotw: "StreamEndpoints",
  delta: "DeltaEndpoints",
  complete: false,
  absent: "removed",
  alone: false,
  gated: false,
};

export const SECRET: DiscoveryType = {
  short: "SDS",
  url: `${PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret`,
  service: "envoy.service.secret.v3.SecretDiscoveryService",
  sotw: "StreamSecrets",
  delta: "DeltaSecrets",
  complete: false,
  absent: "removed",
  alone: false,
  gated: false,
};

export const EXTENSION: DiscoveryType = {
  short: "ECDS",
  url: `${PREFIX}envoy.config.core.v3.TypedExtensionConfig`,
  service: "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
  sotw: "StreamExtensionConfigs",
  delta: "DeltaExtensionConfigs",
  complete: false,
  absent: "silent",
  alone: true,
  gated: false,
};

export const LISTENER: DiscoveryType = {
  short: "LDS",
  url: `${PREFIX}envoy.config.listener.v3.Listener`,
  service: "envoy.service.listener.v3.ListenerDiscoveryService",
  sotw: "StreamListeners",
  delta: "DeltaListeners",
  complete: true,
  absent: "removed",
  alone: false,
  gated: true,
};

export const ROUTE: DiscoveryType = {
  short: "RDS",
  url: `${PREFIX}envoy.config.route.v3.RouteConfiguration`,
  service: "envoy.service.route.v3.RouteDiscoveryService",
  sotw: "StreamRoutes",
  delta: "DeltaRoutes",
  complete: false,
  absent: "silent",
  alone: false,
  gated: true,
};

export const SCOPED_ROUTE: DiscoveryType = {
  short: "SRDS",
  url: `${PREFIX}envoy.config.route.v3.ScopedRouteConfiguration`,
  service: "envoy.service.route.v3.ScopedRoutesDiscoveryService",
  sotw: "StreamScopedRoutes",
  delta: "DeltaScopedRoutes",
  complete: false,
  absent: "silent",
  alone: false,
  gated: true,
};

export const RUNTIME: DiscoveryType = {
  short: "RTDS",
  url: `${PREFIX}envoy.service.runtime.v3.Runtime`,
  service: "envoy.service.runtime.v3.RuntimeDiscoveryService",
  sotw: "StreamRuntime",
  delta: "DeltaRuntime",
  complete: false,
  absent: "removed",
  alone: false,
  gated: false,
};

/**
 * Every type that is served, in the order of make before break: what is pointed at goes before
 * what points at it.
 */
export const DISCOVERY_TYPES: readonly DiscoveryType[] = [
  CLUSTER,
  ENDPOINT,
  SECRET,
  EXTENSION,
  LISTENER,
  ROUTE,
  SCOPED_ROUTE,
  RUNTIME,
];

const byUrl = new Map(DISCOVERY_TYPES.map((type) => [type.url, type]));

/** The type of a URL, or undefined for one that is not served. */
export function discoveryType(url: string): DiscoveryType | undefined {
  return byUrl.get(url);
}
