import type { JsonObject } from "@bufbuild/protobuf";
import type { AccessLogSchema } from "@weft/proto/envoy/config/accesslog/v3/accesslog_pb.ts";
import type { SubstitutionFormatStringSchema } from "@weft/proto/envoy/config/core/v3/substitution_format_string_pb.ts";
import { FileAccessLogSchema } from "@weft/proto/envoy/extensions/access_loggers/file/v3/file_pb.ts";
import {
  MeshConfig_AccessLogEncoding as Encoding,
  type MeshConfig,
} from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import { pack } from "./encode.ts";
import type { Init } from "./init.ts";

type AccessLogInit = Init<typeof AccessLogSchema>;
type FormatInit = NonNullable<Init<typeof SubstitutionFormatStringSchema>["format"]>;

const PATH = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%";

/** Istio's default line. */
const TEXT_FORMAT =
  `[%START_TIME%] "%REQ(:METHOD)% ${PATH} %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ` +
  "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% " +
  '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% ' +
  "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% " +
  "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

/** Istio's default object. */
const JSON_FORMAT: JsonObject = {
  start_time: "%START_TIME%",
  route_name: "%ROUTE_NAME%",
  method: "%REQ(:METHOD)%",
  path: PATH,
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};

/** The mesh's access log, if it has one. */
export function accessLog(config: MeshConfig | undefined): AccessLogInit[] {
  if (!config?.accessLogFile) return [];
  const value = pack(FileAccessLogSchema, {
    path: config.accessLogFile,
    accessLogFormat: { case: "logFormat", value: { format: formatOf(config) } },
  });
  return [{ name: "envoy.access_loggers.file", configType: { case: "typedConfig", value } }];
}

function formatOf({ accessLogEncoding, accessLogFormat: own }: MeshConfig): FormatInit {
  if (accessLogEncoding === Encoding.JSON) {
    return { case: "jsonFormat", value: readObject(own) ?? JSON_FORMAT };
  }
  if (own === "") {
    return { case: "textFormatSource", value: inline(TEXT_FORMAT) };
  }
  return { case: "textFormatSource", value: inline(own.endsWith("\n") ? own : `${own}\n`) };
}

function inline(value: string) {
  return { specifier: { case: "inlineString", value } } as const;
}

/** The user's own object of keys and formats; undefined for anything that is no object. */
function readObject(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as JsonObject) : undefined;
  } catch {
    // The default is better than no log: the format is the user's free text.
    return undefined;
  }
}
