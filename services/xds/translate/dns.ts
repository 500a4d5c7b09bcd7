import type { Endpoint } from "@weft/core/mesh";
import {
  type ClusterSchema,
  Cluster_LbPolicy as LbPolicy,
  Cluster_DnsLookupFamily as LookupFamily,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { DnsLookupFamily } from "@weft/proto/envoy/extensions/clusters/common/dns/v3/dns_pb.ts";
import { DnsClusterSchema } from "@weft/proto/envoy/extensions/clusters/dns/v3/dns_cluster_pb.ts";
import { ClusterConfigSchema as DynamicClusterSchema } from "@weft/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.ts";
import type { DnsCacheConfigSchema } from "@weft/proto/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.ts";
import { pack } from "./encode.ts";
import { type EndpointSet, loadAssignment } from "./endpoint.ts";
import type { Init } from "./init.ts";
import type { Scope } from "./scope.ts";

type ClusterInit = Init<typeof ClusterSchema>;

/** Hosts that one proxy keeps resolved at a time; one more answers 503 until one falls out. */
const DYNAMIC_HOSTS_MAX = 1_024;

/** A service whose endpoints are names: Envoy resolves them itself, again and again. */
export function dnsDiscovery(scope: Scope, name: string, set: EndpointSet): ClusterInit {
  const { service } = set;
  // Without endpoints the host is its own endpoint, unless it is no name that can be looked up.
  const own = service.hostname.startsWith("*") ? [] : [ownEndpoint(set)];
  const endpoints = service.endpoints.length === 0 ? own : set.endpoints;
  const isRoundRobin = service.resolution === "DNS_ROUND_ROBIN";
  const shown = isRoundRobin ? endpoints.slice(0, 1) : endpoints;
  return {
    clusterDiscoveryType: {
      case: "clusterType",
      value: {
        name: "envoy.clusters.dns",
        typedConfig: pack(DnsClusterSchema, {
          dnsRefreshRate: scope.settings.dnsRefreshRate,
          respectDnsTtl: true,
          dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
          // Envoy refuses a round robin over the addresses of several names, or of none.
          allAddressesInSingleEndpoint: isRoundRobin && shown.length > 0,
        }),
      },
    },
    loadAssignment: loadAssignment(scope, name, { ...set, endpoints: shown }),
  };
}

/** A cluster that resolves the host of each request. */
export function dynamicDiscovery(scope: Scope): ClusterInit {
  return {
    clusterDiscoveryType: {
      case: "clusterType",
      value: {
        name: "envoy.clusters.dynamic_forward_proxy",
        typedConfig: pack(DynamicClusterSchema, {
          clusterImplementationSpecifier: { case: "dnsCacheConfig", value: dnsCache(scope) },
          // Whether the server's name is checked is what the DestinationRule says, as elsewhere.
          allowInsecureClusterOptions: true,
        }),
      },
    },
    lbPolicy: LbPolicy.CLUSTER_PROVIDED,
    lbConfig: { case: undefined },
  };
}

/** The cache that dynamic clusters and the filter before them share; all must describe it alike. */
export function dnsCache(scope: Scope): Init<typeof DnsCacheConfigSchema> {
  return {
    name: "dynamic_dns",
    dnsLookupFamily: LookupFamily.V4_PREFERRED,
    dnsRefreshRate: scope.settings.dnsRefreshRate,
    maxHosts: DYNAMIC_HOSTS_MAX,
  };
}

function ownEndpoint({ service }: EndpointSet): Endpoint {
  return {
    address: service.hostname,
    ports: {},
    labels: {},
    locality: "",
    weight: 1,
    serviceAccount: "",
    network: "",
    tlsMode: "disabled",
    workload: "",
    namespace: service.namespace,
  };
}
