import {
  createRegistry,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  toJson as messageToJson,
} from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { FilterConfigSchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { FileAccessLogSchema } from "@weft/proto/envoy/extensions/access_loggers/file/v3/file_pb.ts";
import { DnsClusterSchema } from "@weft/proto/envoy/extensions/clusters/dns/v3/dns_cluster_pb.ts";
import { ClusterConfigSchema } from "@weft/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.ts";
import {
  CorsPolicySchema,
  CorsSchema,
} from "@weft/proto/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { FilterConfigSchema as DynamicHostSchema } from "@weft/proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.ts";
import { HTTPFaultSchema } from "@weft/proto/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import { RBACSchema } from "@weft/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts";
import { RouterSchema } from "@weft/proto/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { WasmSchema } from "@weft/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import { HttpInspectorSchema } from "@weft/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.ts";
import { TlsInspectorSchema } from "@weft/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts";
import { HttpConnectionManagerSchema } from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "@weft/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { PreviousHostsPredicateSchema } from "@weft/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { PreviousPrioritiesConfigSchema } from "@weft/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.ts";
import { RawBufferSchema } from "@weft/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { HttpProtocolOptionsSchema } from "@weft/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { Resources } from "./resources.ts";

/** Resources as canonical ProtoJSON. */
export type ResourcesJson = { readonly [T in keyof Resources]: readonly JsonValue[] };

/** Every message that translation packs into an Any. */
const packed = createRegistry(
  ClusterConfigSchema,
  CorsPolicySchema,
  CorsSchema,
  DnsClusterSchema,
  DownstreamTlsContextSchema,
  DynamicHostSchema,
  FileAccessLogSchema,
  FilterConfigSchema,
  HTTPFaultSchema,
  HttpConnectionManagerSchema,
  HttpInspectorSchema,
  HttpProtocolOptionsSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
  RBACSchema,
  RawBufferSchema,
  RouterSchema,
  StringValueSchema,
  TcpProxySchema,
  TlsInspectorSchema,
  UpstreamTlsContextSchema,
  WasmSchema,
);

/** Resources as people and tools read them: canonical ProtoJSON, what is packed unpacked. */
export function toJson(resources: Resources): ResourcesJson {
  return {
    listeners: jsonOf(ListenerSchema, resources.listeners),
    routes: jsonOf(RouteConfigurationSchema, resources.routes),
    clusters: jsonOf(ClusterSchema, resources.clusters),
    endpoints: jsonOf(ClusterLoadAssignmentSchema, resources.endpoints),
    extensions: jsonOf(TypedExtensionConfigSchema, resources.extensions),
  };
}

function jsonOf<D extends DescMessage>(
  schema: D,
  messages: readonly MessageShape<D>[],
): readonly JsonValue[] {
  return messages.map((message) => messageToJson(schema, message, { registry: packed }));
}
