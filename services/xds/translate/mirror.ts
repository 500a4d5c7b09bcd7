import type { RouteAction_RequestMirrorPolicySchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { Destination, HttpRoute } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { Init } from "./init.ts";
import { fraction } from "./percent.ts";

type MirrorInit = Init<typeof RouteAction_RequestMirrorPolicySchema>;

/** Destinations that get a copy of a share of the requests; all of them unless a share is said. */
export function mirrorPolicies(
  rule: HttpRoute,
  clusterOf: (destination: Destination) => string,
): MirrorInit[] {
  const copies = rule.mirrors.map(({ destination, percentage }) => ({
    destination,
    percent: percentage?.value ?? 100,
  }));
  const single = {
    destination: rule.mirror,
    percent: rule.mirrorPercentage?.value ?? rule.mirrorPercent ?? 100,
  };
  return [single, ...copies].flatMap(({ destination, percent }) => {
    if (destination === undefined || percent <= 0) return [];
    return [
      {
        cluster: clusterOf(destination),
        runtimeFraction: { defaultValue: fraction(percent) },
        traceSampled: false,
        disableShadowHostSuffixAppend: true,
      },
    ];
  });
}
