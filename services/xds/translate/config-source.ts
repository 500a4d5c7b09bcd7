import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from "@weft/proto/envoy/config/core/v3/config_source_pb.ts";
import type { Init } from "./init.ts";

type ConfigSourceInit = Init<typeof ConfigSourceSchema>;

/** The bootstrap's static cluster that leads to the agent's secret service. */
const SECRET_CLUSTER = "sds-grpc";

/** From the control plane, on the stream that carries everything else. */
export const fromControlPlane: ConfigSourceInit = {
  configSourceSpecifier: { case: "ads", value: {} },
  resourceApiVersion: ApiVersion.V3,
};

/** From the agent beside the proxy: keys never leave the machine. */
export const fromAgent: ConfigSourceInit = {
  configSourceSpecifier: {
    case: "apiConfigSource",
    value: {
      apiType: ApiConfigSource_ApiType.GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [
        { targetSpecifier: { case: "envoyGrpc", value: { clusterName: SECRET_CLUSTER } } },
      ],
    },
  },
  resourceApiVersion: ApiVersion.V3,
};
