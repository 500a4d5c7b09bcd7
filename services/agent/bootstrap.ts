import { isIP } from "node:net";
import {
  create,
  createRegistry,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { type Any, AnySchema, durationFromMs } from "@bufbuild/protobuf/wkt";
import { assert, WeftError } from "@weft/core/error";
import { isLoopback } from "@weft/core/runtime";
import {
  type Bootstrap_DynamicResourcesSchema,
  BootstrapSchema,
  type RuntimeLayerSchema,
} from "@weft/proto/envoy/config/bootstrap/v3/bootstrap_pb.ts";
import {
  type ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as DnsLookupFamily,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { AddressSchema } from "@weft/proto/envoy/config/core/v3/address_pb.ts";
import type { TransportSocketSchema } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import {
  ApiConfigSource_ApiType as ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from "@weft/proto/envoy/config/core/v3/config_source_pb.ts";
import type { Http2ProtocolOptionsSchema } from "@weft/proto/envoy/config/core/v3/protocol_pb.ts";
import type { ResourceMonitorSchema } from "@weft/proto/envoy/config/overload/v3/overload_pb.ts";
import { DownstreamConnectionsConfigSchema } from "@weft/proto/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.ts";
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import type { SdsSecretConfigSchema } from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { UpstreamTlsContextSchema } from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { HttpProtocolOptionsSchema } from "@weft/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { CERTIFICATE_SECRET, ROOT_SECRET } from "./secret.ts";
import { STATS_TAGS } from "./stats-tags.ts";

/** What a message may be created from, as an object literal. */
type Init<D extends DescMessage> = Exclude<MessageInitShape<D>, MessageShape<D>>;

/** The proxy that a bootstrap is for. */
export interface ProxyOptions {
  readonly type: "sidecar" | "router";
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where peers reach it. */
  readonly ip: string;
  /** What its Envoy lets in: `port` on its address leads to `endpoint`, `127.0.0.1:8080`. */
  readonly inbound?: readonly { readonly port: number; readonly endpoint: string }[];
  /** Port of the outbound HTTP proxy listener. */
  readonly httpProxyPort?: number;
  readonly meshId?: string;
  readonly locality?: {
    readonly region: string;
    readonly zone?: string;
    readonly subZone?: string;
  };
}

export interface BootstrapOptions extends ProxyOptions {
  /** Of the xDS server: over mTLS, or in plaintext on this machine's loopback. */
  readonly xds:
    | { readonly security: "mtls"; readonly server: string; readonly serverSpiffeId: string }
    | { readonly security: "plaintext"; readonly server: string };
  readonly admin: { readonly host: string; readonly port: number };
  /** Of the agent's SDS socket. */
  readonly secretPath: string;
}

/** Clusters that are there before any configuration is. */
const XDS_CLUSTER = "xds-grpc";
const SECRET_CLUSTER = "sds-grpc";

/** A control plane that does not take a connection in this time is better looked for elsewhere. */
const CONNECT_MS_MAX = 5_000;

/** A dead control plane is found within 40 s, as istiod finds a dead proxy. */
const KEEPALIVE_INTERVAL_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Another replica takes over at once; a mesh of proxies does not come back as one. */
const RECONNECT_MS = 200;
const RECONNECT_MS_MAX = 3_000;

/** Envoy's limit of compiled regular expressions is 100 steps, less than a route of Istio may have. */
const REGEX_STEPS_MAX = 32_768;

/** More than the ports that one client address has; without it a flood takes all of the memory. */
const CONNECTIONS_MAX = 65_536n;

const registry = createRegistry(
  DownstreamConnectionsConfigSchema,
  HttpProtocolOptionsSchema,
  UpstreamTlsContextSchema,
);

/**
 * What Envoy starts with, in JSON: who it is, where its secrets and its configuration come from. It
 * holds no secret.
 *
 * @throws WeftError invalid `agent.bad_options`: an address that is none, plaintext off the machine.
 */
export function writeBootstrap(options: BootstrapOptions): string {
  const bootstrap = create(BootstrapSchema, {
    node: {
      id: nodeId(options),
      cluster: `${options.labels["app"] ?? options.name}.${options.namespace}`,
      metadata: nodeMetadata(options),
      ...(options.locality && { locality: options.locality }),
    },
    staticResources: { clusters: [xdsCluster(options), secretCluster(options.secretPath)] },
    dynamicResources: DYNAMIC_RESOURCES,
    admin: {
      address: socketAddress(options.admin.host, options.admin.port),
      // Who looks into a flood must get in.
      ignoreGlobalConnLimit: true,
    },
    overloadManager: { resourceMonitors: [CONNECTION_LIMIT] },
    // Names end in `;`, as Istio's do, so that a tag is what lies before it.
    statsConfig: { useAllDefaultTags: false, statsTags: [...STATS_TAGS] },
    layeredRuntime: { layers: RUNTIME_LAYERS },
  });
  return `${JSON.stringify(toJson(BootstrapSchema, bootstrap, { registry }), null, 2)}\n`;
}

/** `sidecar~127.0.7.1~shop-1.default~default.svc.cluster.local` */
export function nodeId({ type, ip, name, namespace }: ProxyOptions): string {
  return `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`;
}

function nodeMetadata(options: ProxyOptions): JsonObject {
  const { namespace, serviceAccount, labels, ip, inbound, httpProxyPort, meshId } = options;
  return {
    NAMESPACE: namespace,
    SERVICE_ACCOUNT: serviceAccount,
    LABELS: { ...labels },
    INSTANCE_IPS: ip,
    ...(meshId !== undefined && { MESH_ID: meshId }),
    ...(httpProxyPort !== undefined && { WEFT_HTTP_PROXY_PORT: httpProxyPort }),
    ...(inbound !== undefined && {
      WEFT_INBOUND: inbound.map(({ port, endpoint }): JsonValue => ({ port, endpoint })),
    }),
  };
}

const FROM_ADS: Init<typeof ConfigSourceSchema> = {
  configSourceSpecifier: { case: "ads", value: {} },
  resourceApiVersion: ApiVersion.V3,
};

const DYNAMIC_RESOURCES: Init<typeof Bootstrap_DynamicResourcesSchema> = {
  adsConfig: {
    apiType: ApiType.DELTA_GRPC,
    transportApiVersion: ApiVersion.V3,
    // The node is 61 KB with the names of all extensions.
    setNodeOnFirstMessageOnly: true,
    grpcServices: [
      {
        targetSpecifier: {
          case: "envoyGrpc",
          value: {
            clusterName: XDS_CLUSTER,
            retryPolicy: {
              retryBackOff: {
                baseInterval: durationFromMs(RECONNECT_MS),
                maxInterval: durationFromMs(RECONNECT_MS_MAX),
              },
            },
          },
        },
      },
    ],
  },
  cdsConfig: FROM_ADS,
  ldsConfig: FROM_ADS,
};

const RUNTIME_LAYERS: Init<typeof RuntimeLayerSchema>[] = [
  {
    name: "weft",
    layerSpecifier: {
      case: "staticLayer",
      value: { "re2.max_program_size.error_level": REGEX_STEPS_MAX },
    },
  },
  { name: "admin", layerSpecifier: { case: "adminLayer", value: {} } },
];

const CONNECTION_LIMIT: Init<typeof ResourceMonitorSchema> = {
  name: "envoy.resource_monitors.global_downstream_max_connections",
  configType: {
    case: "typedConfig",
    value: pack(DownstreamConnectionsConfigSchema, {
      maxActiveDownstreamConnections: CONNECTIONS_MAX,
    }),
  },
};

function xdsCluster({ xds }: BootstrapOptions): Init<typeof ClusterSchema> {
  const { host, port } = readAddress(xds.server);
  if (xds.security === "plaintext" && !isLoopback(host)) {
    const message = `xDS in plaintext is for this machine only, not for ${xds.server}`;
    throw new WeftError("invalid", "agent.bad_options", message);
  }
  const isAddress = isIP(host) !== 0;
  return {
    name: XDS_CLUSTER,
    altStatName: `${XDS_CLUSTER};`,
    clusterDiscoveryType: {
      case: "type",
      value: isAddress ? DiscoveryType.STATIC : DiscoveryType.STRICT_DNS,
    },
    ...(!isAddress && { dnsLookupFamily: DnsLookupFamily.V4_PREFERRED }),
    connectTimeout: durationFromMs(CONNECT_MS_MAX),
    loadAssignment: assignment(XDS_CLUSTER, socketAddress(host, port)),
    ...http2({
      connectionKeepalive: {
        interval: durationFromMs(KEEPALIVE_INTERVAL_MS),
        timeout: durationFromMs(KEEPALIVE_TIMEOUT_MS),
      },
    }),
    ...(xds.security === "mtls" && { transportSocket: mutualTls(xds.serverSpiffeId) }),
  };
}

function secretCluster(path: string): Init<typeof ClusterSchema> {
  return {
    name: SECRET_CLUSTER,
    altStatName: `${SECRET_CLUSTER};`,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    connectTimeout: durationFromMs(CONNECT_MS_MAX),
    loadAssignment: assignment(SECRET_CLUSTER, {
      address: { case: "pipe", value: { path } },
    }),
    ...http2({}),
  };
}

/** The workload's own certificate, and one server that is taken for the control plane. */
function mutualTls(serverSpiffeId: string): Init<typeof TransportSocketSchema> {
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: pack(UpstreamTlsContextSchema, {
        commonTlsContext: {
          tlsParams: {
            tlsMinimumProtocolVersion: TlsProtocol.TLSv1_3,
            tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
          },
          tlsCertificateSdsSecretConfigs: [fromAgent(CERTIFICATE_SECRET)],
          validationContextType: {
            case: "combinedValidationContext",
            value: {
              defaultValidationContext: {
                matchTypedSubjectAltNames: [
                  {
                    sanType: SanType.URI,
                    matcher: { matchPattern: { case: "exact", value: serverSpiffeId } },
                  },
                ],
              },
              validationContextSdsSecretConfig: fromAgent(ROOT_SECRET),
            },
          },
          alpnProtocols: ["h2"],
        },
      }),
    },
  };
}

function fromAgent(name: string): Init<typeof SdsSecretConfigSchema> {
  return {
    name,
    sdsConfig: {
      configSourceSpecifier: {
        case: "apiConfigSource",
        value: {
          apiType: ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          setNodeOnFirstMessageOnly: true,
          grpcServices: [
            { targetSpecifier: { case: "envoyGrpc", value: { clusterName: SECRET_CLUSTER } } },
          ],
        },
      },
      resourceApiVersion: ApiVersion.V3,
      // Without its secrets Envoy reaches nobody: it waits for as long as the agent needs.
      initialFetchTimeout: durationFromMs(0),
    },
  };
}

function http2(
  options: Init<typeof Http2ProtocolOptionsSchema>,
): Pick<Init<typeof ClusterSchema>, "typedExtensionProtocolOptions"> {
  const value = pack(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: options } },
    },
  });
  return {
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": value,
    },
  };
}

function assignment(
  clusterName: string,
  address: Init<typeof AddressSchema>,
): Init<typeof ClusterSchema>["loadAssignment"] & object {
  const endpoint = { hostIdentifier: { case: "endpoint", value: { address } } } as const;
  return { clusterName, endpoints: [{ lbEndpoints: [endpoint] }] };
}

function socketAddress(address: string, port: number): Init<typeof AddressSchema> {
  return {
    address: {
      case: "socketAddress",
      value: { address, portSpecifier: { case: "portValue", value: port } },
    },
  };
}

/** `host:port` or `[::1]:port`. */
function readAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new WeftError("invalid", "agent.bad_options", `${text} is not host:port`);
  }
  return { host, port };
}

/** Whether an address never leaves this machine. */
function pack<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  assert(registry.getMessage(schema.typeName) !== undefined, `${schema.typeName} is registered`);
  const value = toBinary(schema, create(schema, init));
  return create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value });
}
