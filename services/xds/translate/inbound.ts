import { create } from "@bufbuild/protobuf";
import { assert } from "@weft/core/error";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { TrafficDirection } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import type {
  FilterChainSchema,
  FilterSchema,
  ListenerFilterSchema,
} from "@weft/proto/envoy/config/listener/v3/listener_components_pb.ts";
import { type Listener, ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { VirtualHostSchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { RouteConfiguration } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { HttpInspectorSchema } from "@weft/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.ts";
import { TlsInspectorSchema } from "@weft/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts";
import { TcpProxySchema } from "@weft/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { ConnectionPoolSettingsSchema } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import { accessLog } from "./access-log.ts";
import { addressOf, isIp, parseEndpoint } from "./address.ts";
import { connectionLimits } from "./connection-pool.ts";
import { isHttp } from "./destination.ts";
import type { PortPolicy } from "./destination-rule.ts";
import { seconds } from "./duration.ts";
import { pack } from "./encode.ts";
import { httpConnectionManager } from "./http-connection.ts";
import { pluginFilters, routerFilter } from "./http-filter.ts";
import { upstreamHttp } from "./http-protocol.ts";
import { type InboundPort, inboundPorts } from "./inbound-port.ts";
import type { Init } from "./init.ts";
import { inboundCluster } from "./name.ts";
import type { MtlsMode } from "./peer-authentication.ts";
import { inboundRetryPolicy } from "./retry.ts";
import { routeTable } from "./route-table.ts";
import type { Scope } from "./scope.ts";
import { meshServerTls } from "./tls.ts";

type FilterChainInit = Init<typeof FilterChainSchema>;
type FilterInit = Init<typeof FilterSchema>;
type ListenerFilterInit = Init<typeof ListenerFilterSchema>;

/** What peers of the mesh offer in TLS where they mean HTTP, and where they mean bytes. */
const HTTP_ALPN = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const BYTES_ALPN = ["istio-peer-exchange", "istio"];

/** What the HTTP inspector calls the plaintext it knows. */
const PLAIN_HTTP = ["http/1.1", "h2c"];

/** What an inbound HTTP port offers in TLS: the version that its own codec will speak. */
const SERVER_ALPN = ["h2", "http/1.1"];

/** The listeners for peers, one a port, and the clusters behind them. */
export function inbound(scope: Scope): {
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
} {
  const ports = inboundPorts(scope);
  return {
    listeners: ports.map((port) => inboundListener(scope, port)),
    clusters: ports.map((port) => applicationCluster(scope, port)),
  };
}

function inboundListener(scope: Scope, at: InboundPort): Listener {
  const { ip, namespace, labels } = scope.proxy;
  const mode = scope.peerPolicies({ namespace, labels }, at.port);
  const { chains, inspectors } = filterChains(scope, at, mode);
  return create(ListenerSchema, {
    name: `${ip}_${at.port}`,
    address: addressOf(ip, at.port),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: [...chains],
    listenerFilters: [...inspectors],
    // A server that speaks first would wait for a client that waits for it.
    continueOnListenerFiltersTimeout: inspectors.length > 0,
  });
}

/** What stands at the end of a chain: HTTP or bytes, and what the port offers for it in TLS. */
interface Service {
  readonly filters: FilterInit[];
  readonly alpn: string[];
}

/** The chains for what a port takes: mTLS, plaintext or both, of HTTP, bytes or what comes. */
function filterChains(
  scope: Scope,
  at: InboundPort,
  mode: MtlsMode,
): {
  readonly chains: readonly FilterChainInit[];
  readonly inspectors: readonly ListenerFilterInit[];
} {
  if (at.protocol === "AUTO") return detectingChains(scope, at, mode);
  const serve = (caller: "peer" | "plaintext"): Service =>
    isHttp(at.protocol) ? serveHttp(scope, at, caller) : serveBytes(scope, at);
  switch (mode) {
    case "STRICT":
      return { inspectors: [], chains: [mtlsChain(scope, serve("peer"))] };
    case "DISABLE":
      return { inspectors: [], chains: [{ filters: serve("plaintext").filters }] };
    case "PERMISSIVE":
      return {
        inspectors: [tlsInspector],
        chains: [
          mtlsChain(scope, serve("peer"), [...HTTP_ALPN, ...BYTES_ALPN]),
          plaintextChain(serve("plaintext")),
          // A port for bytes may well carry the application's own TLS.
          ...(isHttp(at.protocol) ? [] : [foreignTlsChain(serve("plaintext"))]),
        ],
      };
  }
}

/** The chains of a port whose protocol nobody declared: the first bytes tell. */
function detectingChains(
  scope: Scope,
  at: InboundPort,
  mode: MtlsMode,
): ReturnType<typeof filterChains> {
  const bytes = serveBytes(scope, at);
  const secured = () => [
    mtlsChain(scope, serveHttp(scope, at, "peer"), HTTP_ALPN),
    mtlsChain(scope, bytes, BYTES_ALPN),
  ];
  const open = () => [
    plaintextChain(serveHttp(scope, at, "plaintext"), PLAIN_HTTP),
    plaintextChain(bytes),
  ];
  switch (mode) {
    case "STRICT":
      return { inspectors: [tlsInspector], chains: secured() };
    case "DISABLE":
      return { inspectors: [httpInspector], chains: [...open(), foreignTlsChain(bytes)] };
    case "PERMISSIVE":
      return {
        inspectors: [tlsInspector, httpInspector],
        chains: [...secured(), ...open(), foreignTlsChain(bytes)],
      };
  }
}

function mtlsChain(
  { settings }: Scope,
  { filters, alpn }: Service,
  applicationProtocols: string[] = [],
): FilterChainInit {
  const isAlone = applicationProtocols.length === 0;
  return {
    ...(!isAlone && { filterChainMatch: { transportProtocol: "tls", applicationProtocols } }),
    filters,
    transportSocket: meshServerTls(settings.trustDomains, alpn),
  };
}

function plaintextChain(
  { filters }: Service,
  applicationProtocols: string[] = [],
): FilterChainInit {
  const filterChainMatch = { transportProtocol: "raw_buffer", applicationProtocols };
  return { filterChainMatch, filters };
}

/** TLS that is not the mesh's: passed on as it is. */
function foreignTlsChain({ filters }: Service): FilterChainInit {
  return { filterChainMatch: { transportProtocol: "tls" }, filters };
}

function serveHttp(scope: Scope, at: InboundPort, caller: "peer" | "plaintext"): Service {
  return {
    filters: [
      httpConnectionManager(scope, {
        statPrefix: `inbound_${scope.proxy.ip}_${at.port};`,
        routes: inboundRoutes(at),
        filters: [...pluginFilters(scope, "server", at.port), routerFilter],
        caller,
      }),
    ],
    alpn: SERVER_ALPN,
  };
}

function serveBytes(scope: Scope, { port }: InboundPort): Service {
  const cluster = inboundCluster(port);
  const value = pack(TcpProxySchema, {
    statPrefix: cluster,
    clusterSpecifier: { case: "cluster", value: cluster },
    accessLog: accessLog(scope.settings.config),
  });
  return {
    filters: [
      { name: "envoy.filters.network.tcp_proxy", configType: { case: "typedConfig", value } },
    ],
    alpn: [],
  };
}

/** Everything goes to the application, without any limit but that of a gRPC client. */
function inboundRoutes({ port, service, protocol }: InboundPort): RouteConfiguration {
  const isGrpc = protocol === "GRPC" || protocol === "GRPC-WEB";
  const virtualHost = create(VirtualHostSchema, {
    name: `inbound|http|${port}`,
    domains: ["*"],
    routes: [
      {
        name: "default",
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        decorator: { operation: `${service}:${port}/*` },
        action: {
          case: "route",
          value: {
            clusterSpecifier: { case: "cluster", value: inboundCluster(port) },
            timeout: seconds(0),
            maxStreamDuration: { maxStreamDuration: seconds(0), grpcTimeoutHeaderMax: seconds(0) },
            ...(!isGrpc && { retryPolicy: inboundRetryPolicy }),
          },
        },
      },
    ],
  });
  return routeTable(inboundCluster(port), [virtualHost]);
}

function applicationCluster(scope: Scope, { port, endpoint, protocol }: InboundPort): Cluster {
  const name = inboundCluster(port);
  const target = parseEndpoint(endpoint);
  assert(target !== undefined, `inbound endpoint ${endpoint} was not checked`);
  const isFixed = isIp(target.host) || target.host.startsWith("unix://");
  const value = isFixed ? DiscoveryType.STATIC : DiscoveryType.STRICT_DNS;
  // What nobody declared is HTTP in the version that the peer spoke, if it is HTTP.
  const policy = protocol === "AUTO" ? followsClient : {};
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: "type", value },
    ...connectionLimits(undefined, scope.settings),
    typedExtensionProtocolOptions: upstreamHttp(protocol, policy) ?? {},
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: {
                case: "endpoint",
                value: { address: addressOf(target.host, target.port) },
              },
            },
          ],
        },
      ],
    },
  });
}

const followsClient: PortPolicy = {
  connectionPool: create(ConnectionPoolSettingsSchema, { http: { useClientProtocol: true } }),
};

const tlsInspector: ListenerFilterInit = {
  name: "envoy.filters.listener.tls_inspector",
  configType: { case: "typedConfig", value: pack(TlsInspectorSchema, {}) },
};

const httpInspector: ListenerFilterInit = {
  name: "envoy.filters.listener.http_inspector",
  configType: { case: "typedConfig", value: pack(HttpInspectorSchema, {}) },
};
