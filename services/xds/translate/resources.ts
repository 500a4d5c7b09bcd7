import type { Cluster } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import type { TypedExtensionConfig } from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import type { ClusterLoadAssignment } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { Listener } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import type { RouteConfiguration } from "@weft/proto/envoy/config/route/v3/route_pb.ts";

/** Everything that one proxy should have; each list in code unit order of its names. */
export interface Resources {
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteConfiguration[];
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly ClusterLoadAssignment[];
  /** Configurations of plugins, their code included. */
  readonly extensions: readonly TypedExtensionConfig[];
}
