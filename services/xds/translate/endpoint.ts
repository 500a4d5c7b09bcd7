import { create } from "@bufbuild/protobuf";
import {
  type Endpoint,
  endpointPort,
  isPort,
  type Service,
  type ServicePort,
} from "@weft/core/mesh";
import type {
  LbEndpointSchema,
  LocalityLbEndpointsSchema,
} from "@weft/proto/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { addressOf, isIp } from "./address.ts";
import type { Init } from "./init.ts";
import type { Scope } from "./scope.ts";

type LocalityInit = Init<typeof LocalityLbEndpointsSchema>;

/** Which endpoints of a service, at which port. */
export interface EndpointSet {
  readonly service: Service;
  readonly port: ServicePort;
  /** Endpoints of the subset only, as `service.endpoints` filtered by its labels. */
  readonly endpoints: readonly Endpoint[];
}

/**
 * The load assignment of one cluster, its endpoints grouped by locality. Empty, but there, if no
 * endpoint is left: then requests get 503 at once, where a missing one would keep Envoy waiting.
 */
export function loadAssignment(
  scope: Scope,
  clusterName: string,
  set: EndpointSet,
): ClusterLoadAssignment {
  const localities = new Map<string, Endpoint[]>();
  for (const endpoint of set.endpoints) {
    // Envoy refuses the whole assignment for one bad address or port.
    if (!isReachable(endpoint, set)) continue;
    const group = localities.get(endpoint.locality) ?? [];
    if (group.length === 0) localities.set(endpoint.locality, group);
    group.push(endpoint);
  }
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [...localities.keys()]
      .sort()
      .map((locality) =>
        localityEndpoints(scope, set, { locality, group: localities.get(locality) ?? [] }),
      ),
  });
}

function isReachable(endpoint: Endpoint, { service, port }: EndpointSet): boolean {
  if (endpoint.address.startsWith("unix://")) return true;
  if (!isPort(endpointPort(endpoint, port))) return false;
  return service.resolution === "STATIC" ? isIp(endpoint.address) : endpoint.address !== "";
}

function localityEndpoints(
  scope: Scope,
  set: EndpointSet,
  { locality, group }: { readonly locality: string; readonly group: readonly Endpoint[] },
): LocalityInit {
  const [region = "", zone = "", subZone = ""] = locality.split("/");
  return {
    ...(locality !== "" && { locality: { region, zone, subZone } }),
    loadBalancingWeight: group.reduce((sum, { weight }) => sum + weight, 0),
    lbEndpoints: group.map((endpoint) => lbEndpoint(scope, set, endpoint)),
  };
}

function lbEndpoint(
  scope: Scope,
  { port, service }: EndpointSet,
  endpoint: Endpoint,
): Init<typeof LbEndpointSchema> {
  const at = endpointPort(endpoint, port);
  const takesMtls = endpoint.tlsMode === "istio" && scope.peerPolicies(endpoint, at) !== "DISABLE";
  return {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: addressOf(endpoint.address, at),
        // DNS endpoints are reached by their name: it is what they expect in the Host header.
        ...(service.resolution !== "STATIC" && { hostname: endpoint.address }),
      },
    },
    loadBalancingWeight: endpoint.weight,
    metadata: {
      filterMetadata: {
        ...(takesMtls && { "envoy.transport_socket_match": { tlsMode: "istio" } }),
        istio: { workload: workloadText(scope, endpoint) },
      },
    },
  };
}

/** `workload;namespace;canonical name;canonical revision;cluster`, as Istio's tools read it. */
function workloadText(scope: Scope, { workload, namespace, labels }: Endpoint): string {
  const app = labels["app.kubernetes.io/name"] ?? labels["app"];
  const name = labels["service.istio.io/canonical-name"] ?? app ?? workload;
  const revision =
    labels["service.istio.io/canonical-revision"] ??
    labels["app.kubernetes.io/version"] ??
    labels["version"] ??
    "latest";
  return [workload || name, namespace, name, revision, scope.mesh.name].join(";");
}
