import type { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { HttpProtocolOptionsSchema } from "@weft/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { OutlierDetection } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import { ifPositive } from "./duration.ts";
import type { Init } from "./init.ts";

type ClusterInit = Init<typeof ClusterSchema>;
type HttpOptionsInit = Init<typeof HttpProtocolOptionsSchema>;

/** Which endpoints are taken out for a while. Success rates never count, as in Istio. */
export function ejection(
  outlier: OutlierDetection | undefined,
): Pick<ClusterInit, "outlierDetection" | "commonLbConfig"> {
  if (outlier === undefined) return {};
  const gatewayErrors =
    outlier.consecutiveGatewayErrors ?? (outlier.consecutiveErrors || undefined);
  const localFailures = outlier.consecutiveLocalOriginFailures;
  const interval = ifPositive(outlier.interval);
  const baseEjectionTime = ifPositive(outlier.baseEjectionTime);
  return {
    outlierDetection: {
      enforcingSuccessRate: 0,
      ...(outlier.consecutive5xxErrors !== undefined && {
        consecutive5xx: outlier.consecutive5xxErrors,
        enforcingConsecutive5xx: enforced(outlier.consecutive5xxErrors),
      }),
      ...(gatewayErrors !== undefined && {
        consecutiveGatewayFailure: gatewayErrors,
        enforcingConsecutiveGatewayFailure: enforced(gatewayErrors),
      }),
      ...(interval && { interval }),
      ...(baseEjectionTime && { baseEjectionTime }),
      ...(outlier.maxEjectionPercent > 0 && {
        maxEjectionPercent: Math.min(outlier.maxEjectionPercent, 100),
      }),
      ...(outlier.splitExternalLocalOriginErrors && {
        splitExternalLocalOriginErrors: true,
        enforcingLocalOriginSuccessRate: 0,
        ...(localFailures !== undefined &&
          localFailures > 0 && {
            consecutiveLocalOriginFailure: localFailures,
            enforcingConsecutiveLocalOriginFailure: 100,
          }),
      }),
    },
    commonLbConfig: {
      healthyPanicThreshold: { value: Math.min(Math.max(outlier.minHealthPercent, 0), 100) },
    },
  };
}

/** The response codes that count as errors, where they are not simply the 5xx. */
export function errorCodes(
  outlier: OutlierDetection | undefined,
): Pick<HttpOptionsInit, "outlierDetection"> {
  const codes = outlier?.outlierDetectionHttpErrorCodes ?? [];
  if (codes.length === 0) return {};
  const headers = [
    {
      name: ":status",
      headerMatchSpecifier: {
        case: "stringMatch",
        value: {
          matchPattern: { case: "safeRegex", value: { regex: [...codes].sort().join("|") } },
        },
      },
    } as const,
  ];
  return {
    outlierDetection: {
      errorMatcher: { rule: { case: "httpResponseHeadersMatch", value: { headers } } },
    },
  };
}

function enforced(errors: number): number {
  return errors > 0 ? 100 : 0;
}
