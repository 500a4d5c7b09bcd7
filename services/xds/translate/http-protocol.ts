import type { Any } from "@bufbuild/protobuf/wkt";
import type { Protocol } from "@weft/core/mesh";
import { HttpProtocolOptionsSchema } from "@weft/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { ConnectionPoolSettings_HttpSettings_H2UpgradePolicy as H2Upgrade } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import type { PortPolicy } from "./destination-rule.ts";
import { ifPositive } from "./duration.ts";
import { pack } from "./encode.ts";
import type { Init } from "./init.ts";
import { errorCodes } from "./outlier-detection.ts";
import { followsRequestHost } from "./tls.ts";

type HttpOptionsInit = Init<typeof HttpProtocolOptionsSchema>;

const OPTIONS_NAME = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** The HTTP that a cluster speaks: the client's own, HTTP/2 or HTTP/1.1. */
export type UpstreamHttp = "downstream" | "http2" | "http1" | "none";

export function upstreamHttpOf(protocol: Protocol, policy: PortPolicy): UpstreamHttp {
  const pool = policy.connectionPool?.http;
  switch (protocol) {
    case "HTTP2":
    case "GRPC":
      return "http2";
    case "HTTP":
    case "GRPC-WEB":
    case "AUTO":
      if (pool?.h2UpgradePolicy === H2Upgrade.UPGRADE) return "http2";
      return pool?.useClientProtocol ? "downstream" : "http1";
    case "HTTPS":
    case "TLS":
    case "TCP":
    case "UDP":
    case "MONGO":
    case "MYSQL":
    case "REDIS":
      return "none";
  }
}

/** A cluster's HTTP options by extension name; undefined where Envoy's defaults are what is meant. */
export function upstreamHttp(
  protocol: Protocol,
  policy: PortPolicy,
): Record<string, Any> | undefined {
  const spoken = upstreamHttpOf(protocol, policy);
  // To a port for TLS or bytes only a rule for HTTP leads, which then may well bring the TLS.
  const http = spoken === "none" ? "http1" : spoken;
  const common = commonOptions(policy);
  const upstreamHttpProtocolOptions = followsRequestHost(policy.tls);
  const errors = errorCodes(policy.outlierDetection);
  const isPlain =
    Object.keys({ ...common, ...errors }).length === 0 && !upstreamHttpProtocolOptions;
  if (http === "http1" && isPlain) return undefined;
  return {
    [OPTIONS_NAME]: pack(HttpProtocolOptionsSchema, {
      upstreamProtocolOptions: protocolOptions(http, policy),
      ...(Object.keys(common).length > 0 && { commonHttpProtocolOptions: common }),
      ...(upstreamHttpProtocolOptions && { upstreamHttpProtocolOptions }),
      ...errors,
    }),
  };
}

function commonOptions({ connectionPool }: PortPolicy) {
  const { http, tcp } = connectionPool ?? {};
  const idleTimeout = ifPositive(http?.idleTimeout);
  const maxConnectionDuration = ifPositive(tcp?.maxConnectionDuration);
  const maxRequestsPerConnection = http?.maxRequestsPerConnection ?? 0;
  return {
    ...(idleTimeout && { idleTimeout }),
    ...(maxConnectionDuration && { maxConnectionDuration }),
    ...(maxRequestsPerConnection > 0 && { maxRequestsPerConnection }),
  };
}

function protocolOptions(
  http: Exclude<UpstreamHttp, "none">,
  { connectionPool }: PortPolicy,
): NonNullable<HttpOptionsInit["upstreamProtocolOptions"]> {
  const pool = connectionPool?.http;
  const interval = ifPositive(pool?.http2KeepAlive?.interval);
  const timeout = ifPositive(pool?.http2KeepAlive?.timeout);
  const streams = pool?.maxConcurrentStreams ?? 0;
  const http2ProtocolOptions = {
    ...(streams > 0 && { maxConcurrentStreams: streams }),
    // Envoy wants the timeout wherever there is an interval.
    ...(interval && timeout && { connectionKeepalive: { interval, timeout } }),
  };
  switch (http) {
    case "downstream":
      return {
        case: "useDownstreamProtocolConfig",
        value: { httpProtocolOptions: {}, http2ProtocolOptions },
      };
    case "http2":
      return {
        case: "explicitHttpConfig",
        value: { protocolConfig: { case: "http2ProtocolOptions", value: http2ProtocolOptions } },
      };
    case "http1":
      return {
        case: "explicitHttpConfig",
        value: { protocolConfig: { case: "httpProtocolOptions", value: {} } },
      };
  }
}
