import type { FilterSchema } from "@weft/proto/envoy/config/listener/v3/listener_components_pb.ts";
import type { RouteConfiguration } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import {
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManager_ForwardClientCertDetails as ForwardCert,
  HttpConnectionManagerSchema,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { MeshConfig_PathNormalization_NormalizationType as Normalization } from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import { accessLog } from "./access-log.ts";
import { fromControlPlane } from "./config-source.ts";
import { seconds } from "./duration.ts";
import { pack } from "./encode.ts";
import type { HttpFilterInit } from "./http-filter.ts";
import type { Init } from "./init.ts";
import type { Scope } from "./scope.ts";

type HttpConnectionManagerInit = Init<typeof HttpConnectionManagerSchema>;

export interface HttpOptions {
  readonly statPrefix: string;
  /** The name of a route table that the control plane sends, or the table itself. */
  readonly routes: string | RouteConfiguration;
  readonly filters: readonly HttpFilterInit[];
  /**
   * Who calls: the application beside the proxy, a peer with or without a certificate of the mesh,
   * or the world outside.
   */
  readonly caller: "application" | "peer" | "plaintext" | "outside";
}

/** The network filter that speaks HTTP. */
export function httpConnectionManager(
  scope: Scope,
  options: HttpOptions,
): Init<typeof FilterSchema> {
  const { statPrefix, routes, filters, caller } = options;
  const value = pack(HttpConnectionManagerSchema, {
    statPrefix,
    routeSpecifier:
      typeof routes === "string"
        ? { case: "rds", value: { configSource: fromControlPlane, routeConfigName: routes } }
        : { case: "routeConfig", value: routes },
    httpFilters: [...filters],
    useRemoteAddress: caller === "outside",
    generateRequestId: true,
    // Timeouts are the routes' business: none is set that the user did not ask for.
    streamIdleTimeout: seconds(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    serverHeaderTransformation: ServerHeader.PASS_THROUGH,
    accessLog: accessLog(scope.settings.config),
    ...pathNormalization(scope),
    ...clientCertificate(caller),
  });
  return {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value },
  };
}

/** Only a verified certificate is told to the application; what others claim is taken away. */
function clientCertificate(caller: HttpOptions["caller"]): HttpConnectionManagerInit {
  if (caller !== "peer") return { forwardClientCertDetails: ForwardCert.SANITIZE };
  return {
    forwardClientCertDetails: ForwardCert.SANITIZE_SET,
    setCurrentClientCertDetails: { uri: true },
  };
}

function pathNormalization({ settings }: Scope): HttpConnectionManagerInit {
  switch (settings.config?.pathNormalization?.normalization) {
    case Normalization.NONE:
      return { normalizePath: false };
    case Normalization.MERGE_SLASHES:
      return { normalizePath: true, mergeSlashes: true };
    case Normalization.DECODE_AND_MERGE_SLASHES:
      return {
        normalizePath: true,
        mergeSlashes: true,
        pathWithEscapedSlashesAction: EscapedSlashes.UNESCAPE_AND_FORWARD,
      };
    default:
      return { normalizePath: true };
  }
}
