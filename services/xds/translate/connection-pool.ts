import type { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { ConnectionPoolSettings } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import { ifPositive } from "./duration.ts";
import type { Init } from "./init.ts";
import type { MeshSettings } from "./mesh-settings.ts";

type ClusterInit = Init<typeof ClusterSchema>;

/** Istio's default for every threshold: what is not limited by the user is not limited. */
const UNLIMITED = 4_294_967_295;

/** Limits on the connections and requests of one cluster. */
export function connectionLimits(
  pool: ConnectionPoolSettings | undefined,
  settings: MeshSettings,
): Pick<ClusterInit, "circuitBreakers" | "connectTimeout" | "upstreamConnectionOptions"> {
  const keepalive = pool?.tcp?.tcpKeepalive ?? settings.config?.tcpKeepalive;
  // The kernel counts in whole seconds.
  const time = Number(keepalive?.time?.seconds ?? 0);
  const interval = Number(keepalive?.interval?.seconds ?? 0);
  return {
    connectTimeout: ifPositive(pool?.tcp?.connectTimeout) ?? settings.connectTimeout,
    circuitBreakers: {
      thresholds: [
        {
          maxConnections: orUnlimited(pool?.tcp?.maxConnections),
          maxPendingRequests: orUnlimited(pool?.http?.http1MaxPendingRequests),
          maxRequests: orUnlimited(pool?.http?.http2MaxRequests),
          maxRetries: orUnlimited(pool?.http?.maxRetries),
          trackRemaining: true,
        },
      ],
    },
    ...(keepalive && {
      upstreamConnectionOptions: {
        tcpKeepalive: {
          ...(keepalive.probes > 0 && { keepaliveProbes: keepalive.probes }),
          ...(time > 0 && { keepaliveTime: time }),
          ...(interval > 0 && { keepaliveInterval: interval }),
        },
      },
    }),
  };
}

function orUnlimited(limit: number | undefined): number {
  return limit === undefined || limit <= 0 ? UNLIMITED : limit;
}
