import { create } from "@bufbuild/protobuf";
import type { VirtualHost } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@weft/proto/envoy/config/route/v3/route_pb.ts";

/** The longest body of a direct response: 1 MiB, as in Istio. */
const DIRECT_RESPONSE_BYTES_MAX = 1 << 20;

/** A route table. Clusters it names need not exist: a request to one that does not gets 503. */
export function routeTable(
  name: string,
  virtualHosts: VirtualHost[],
  options: { readonly ignoresPort?: boolean } = {},
): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts,
    validateClusters: false,
    maxDirectResponseBodySizeBytes: DIRECT_RESPONSE_BYTES_MAX,
    ignorePortInHostMatching: options.ignoresPort ?? false,
  });
}
