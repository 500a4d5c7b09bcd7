import type { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { Cluster_LbPolicy } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { RouteAction_HashPolicySchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import {
  type LoadBalancerSettings_ConsistentHashLb as ConsistentHash,
  type LoadBalancerSettings,
  LoadBalancerSettings_SimpleLb as Simple,
} from "@weft/proto/weft/mesh/v1/load_balancer_pb.ts";
import { ifPositive } from "./duration.ts";
import type { Init } from "./init.ts";

type ClusterInit = Init<typeof ClusterSchema>;
type HashPolicyInit = Init<typeof RouteAction_HashPolicySchema>;

/** Istio's ring size where nothing is said. */
const RING_SIZE_DEFAULT = 1_024n;

/** Envoy's greatest ring; a greater minimum wedges its cluster discovery. */
const RING_SIZE_MAX = 8_388_608n;

/** Envoy's greatest Maglev table, a prime. */
const MAGLEV_TABLE_SIZE_MAX = 5_000_011;

/** Whether the client is to use the address it wanted, without balancing. */
export function passesThrough(settings: LoadBalancerSettings | undefined): boolean {
  return settings?.lbPolicy.case === "simple" && settings.lbPolicy.value === Simple.PASSTHROUGH;
}

export function consistentHashOf(
  settings: LoadBalancerSettings | undefined,
): ConsistentHash | undefined {
  return settings?.lbPolicy.case === "consistentHash" ? settings.lbPolicy.value : undefined;
}

/** How a cluster picks an endpoint; LEAST_REQUEST unless something else is said. */
export function balance(
  settings: LoadBalancerSettings | undefined,
): Pick<ClusterInit, "lbPolicy" | "lbConfig"> {
  const hash = consistentHashOf(settings);
  if (hash !== undefined) return balanceByHash(hash);
  const slowStartConfig = slowStart(settings);
  switch (settings?.lbPolicy.case === "simple" ? settings.lbPolicy.value : Simple.UNSPECIFIED) {
    case Simple.RANDOM:
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case Simple.ROUND_ROBIN:
      return {
        lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
        ...(slowStartConfig && {
          lbConfig: { case: "roundRobinLbConfig", value: { slowStartConfig } },
        }),
      };
    default:
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        ...(slowStartConfig && {
          lbConfig: { case: "leastRequestLbConfig", value: { slowStartConfig } },
        }),
      };
  }
}

/** What of a request the hash is taken over. */
export function hashPolicies(settings: LoadBalancerSettings | undefined): HashPolicyInit[] {
  const key = consistentHashOf(settings)?.hashKey;
  switch (key?.case) {
    case "httpHeaderName":
      return [{ policySpecifier: { case: "header", value: { headerName: key.value } } }];
    case "httpCookie": {
      const { name, path, ttl, attributes } = key.value;
      const own = attributes.map((each) => ({ name: each.name, value: each.value }));
      const value = { name, path, attributes: own, ...(ttl && { ttl }) };
      return [{ policySpecifier: { case: "cookie", value } }];
    }
    case "useSourceIp":
      if (!key.value) return [];
      return [{ policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } }];
    case "httpQueryParameterName":
      return [{ policySpecifier: { case: "queryParameter", value: { name: key.value } } }];
    case undefined:
      return [];
  }
}

function balanceByHash(hash: ConsistentHash): Pick<ClusterInit, "lbPolicy" | "lbConfig"> {
  if (hash.hashAlgorithm.case === "maglev") {
    const size = Number(hash.hashAlgorithm.value.tableSize);
    const tableSize = size === 0 ? undefined : BigInt(primeFrom(size));
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      ...(tableSize && { lbConfig: { case: "maglevLbConfig", value: { tableSize } } }),
    };
  }
  const ring = hash.hashAlgorithm.case === "ringHash" ? hash.hashAlgorithm.value : undefined;
  const wanted = (ring?.minimumRingSize ?? hash.minimumRingSize) || RING_SIZE_DEFAULT;
  const minimumRingSize = wanted > RING_SIZE_MAX ? RING_SIZE_MAX : wanted;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize } },
  };
}

/** The least prime not below `size`: a table of another size wedges Envoy's cluster discovery. */
function primeFrom(size: number): number {
  let candidate = Math.max(2, size);
  while (candidate < MAGLEV_TABLE_SIZE_MAX && !isPrime(candidate)) candidate += 1;
  return Math.min(candidate, MAGLEV_TABLE_SIZE_MAX);
}

function isPrime(number: number): boolean {
  for (let factor = 2; factor * factor <= number; factor += 1) {
    if (number % factor === 0) return false;
  }
  return true;
}

function slowStart(settings: LoadBalancerSettings | undefined) {
  const slowStartWindow = ifPositive(settings?.warmup?.duration ?? settings?.warmupDurationSecs);
  if (slowStartWindow === undefined) return undefined;
  const { minimumPercent, aggression } = settings?.warmup ?? {};
  return {
    slowStartWindow,
    ...(minimumPercent !== undefined && {
      minWeightPercent: { value: Math.min(Math.max(minimumPercent, 0), 100) },
    }),
    ...(aggression !== undefined &&
      aggression > 0 && { aggression: { defaultValue: aggression, runtimeKey: "" } }),
  };
}
