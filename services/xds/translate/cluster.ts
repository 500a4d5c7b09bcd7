import { create, type JsonObject } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { labelsMatch } from "@weft/core/mesh";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { ClusterLoadAssignment } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { fromControlPlane } from "./config-source.ts";
import { connectionLimits } from "./connection-pool.ts";
import { type Destination, destinationsOf, isHttp } from "./destination.ts";
import { type PortPolicy, portPolicy } from "./destination-rule.ts";
import { dnsDiscovery, dynamicDiscovery } from "./dns.ts";
import { type EndpointSet, loadAssignment } from "./endpoint.ts";
import { upstreamHttp } from "./http-protocol.ts";
import type { Init } from "./init.ts";
import { balance, passesThrough } from "./load-balancer.ts";
import { BLACK_HOLE_CLUSTER, configPath, outboundCluster, PASSTHROUGH_CLUSTER } from "./name.ts";
import { ejection } from "./outlier-detection.ts";
import type { Scope } from "./scope.ts";
import { createShared, viewKey } from "./shared.ts";
import { upstreamSecurity } from "./upstream-tls.ts";

type ClusterInit = Init<typeof ClusterSchema>;

export interface OutboundClusters {
  readonly clusters: readonly Cluster[];
  /** One for every cluster that asks for its endpoints. */
  readonly endpoints: readonly ClusterLoadAssignment[];
}

const shared = createShared<OutboundClusters>();

/** The clusters of every service that the proxy sees, with their endpoints. */
export function outboundClusters(scope: Scope): OutboundClusters {
  return shared(scope.mesh, viewKey(scope), () => {
    const made = [...destinationsOf(scope)].map((each) => outboundClusterOf(scope, each));
    return {
      clusters: made.map(({ cluster }) => cluster),
      endpoints: made.flatMap(({ assignment }) => assignment ?? []),
    };
  });
}

/** A cluster without endpoints: requests to it get 503. */
export function blackHoleCluster(scope: Scope): Cluster {
  return create(ClusterSchema, {
    name: BLACK_HOLE_CLUSTER,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    connectTimeout: scope.settings.connectTimeout,
  });
}

/** Leads to the address that a redirected connection was meant for. */
export function passthroughCluster(scope: Scope): Cluster {
  return create(ClusterSchema, {
    name: PASSTHROUGH_CLUSTER,
    ...originalDestination,
    ...connectionLimits(undefined, scope.settings),
  });
}

function outboundClusterOf(
  scope: Scope,
  destination: Destination,
): { cluster: Cluster; assignment: ClusterLoadAssignment | undefined } {
  const { service, port, policy, subset } = destination;
  const name = outboundCluster({
    host: service.hostname,
    port: port.number,
    subset: subset?.name ?? "",
  });
  const settings = portPolicy(policy, port.number, subset);
  const found = discovery(scope, { name, destination, settings });
  const http = upstreamHttp(port.protocol, settings);
  const typedExtensionProtocolOptions: Record<string, Any> = http === undefined ? {} : http;
  const cluster = create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    ...balance(settings.loadBalancer),
    ...connectionLimits(settings.connectionPool, scope.settings),
    ...ejection(settings.outlierDetection),
    ...upstreamSecurity(scope, destination, settings),
    ...found.shape,
    typedExtensionProtocolOptions,
    metadata: { filterMetadata: { istio: describe(destination) } },
  });
  return { cluster, assignment: found.assignment };
}

const originalDestination = {
  clusterDiscoveryType: { case: "type", value: DiscoveryType.ORIGINAL_DST },
  lbPolicy: LbPolicy.CLUSTER_PROVIDED,
  lbConfig: { case: undefined },
} as const satisfies ClusterInit;

/** How the cluster finds its endpoints; the load assignment where the control plane sends them. */
function discovery(
  scope: Scope,
  from: {
    readonly name: string;
    readonly destination: Destination;
    readonly settings: PortPolicy;
  },
): { shape: ClusterInit; assignment?: ClusterLoadAssignment } {
  const { service, port, subset } = from.destination;
  const all = service.endpoints;
  const endpoints =
    subset === undefined ? all : all.filter(({ labels }) => labelsMatch(subset.labels, labels));
  const set: EndpointSet = { service, port, endpoints };
  switch (service.resolution) {
    case "STATIC":
      if (passesThrough(from.settings.loadBalancer)) return { shape: originalDestination };
      return {
        shape: {
          clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
          edsClusterConfig: { edsConfig: fromControlPlane, serviceName: from.name },
        },
        assignment: loadAssignment(scope, from.name, set),
      };
    case "DNS":
    case "DNS_ROUND_ROBIN":
      return { shape: dnsDiscovery(scope, from.name, set) };
    case "DYNAMIC_DNS":
      return { shape: dynamicDiscovery(scope) };
    case "NONE":
      // Nothing redirects connections to this proxy, so there is no original destination: an HTTP
      // request goes where its Host header says.
      return { shape: isHttp(port.protocol) ? dynamicDiscovery(scope) : originalDestination };
  }
}

/** What Istio's tools read of a cluster. */
function describe({ service, port, policy, subset }: Destination): JsonObject {
  const { hostname: host, name, namespace } = service;
  return {
    default_original_port: port.number,
    services: [{ host, name, namespace }],
    ...(service.location === "MESH_EXTERNAL" && { external: true }),
    ...(policy && { config: configPath("destination-rule", policy.namespace, policy.name) }),
    ...(subset && { subset: subset.name }),
  };
}
