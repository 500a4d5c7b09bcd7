// The configuration of an Envoy that runs cases: a listener for each, and the clusters behind them.

import type { Case, Configured } from "./case.ts";
import { assembleProbe } from "./probe.ts";

const any = (type: string, value: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...value,
});

const text = (value: string) => ({
  "@type": "type.googleapis.com/google.protobuf.StringValue",
  value,
});

const seconds = (ms: number) => `${ms / 1_000}s`;

/** A plugin of a case, under the case's name. */
function plugin(id: string, vm: string, configured: Configured) {
  const { probe, capabilities = [], failurePolicy, reloadIntervalMs } = configured;
  const { environment, allowsHeadersStop } = configured;
  const reload = { backoff: { base_interval: seconds(reloadIntervalMs ?? 0) } };
  const allowed = Object.fromEntries(capabilities.map((name) => [name, {}]));
  const code = Buffer.from(assembleProbe(probe)).toString("base64");
  return {
    name: id,
    root_id: id,
    vm_config: {
      vm_id: vm,
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { inline_bytes: code } },
      configuration: text(configured.vmConfiguration ?? ""),
      ...(environment && { environment_variables: { key_values: environment } }),
    },
    configuration: text(configured.configuration ?? ""),
    ...(capabilities.length > 0 && {
      capability_restriction_config: { allowed_capabilities: allowed },
    }),
    ...(failurePolicy && { failure_policy: failurePolicy }),
    ...(reloadIntervalMs !== undefined && { reload_config: reload }),
    ...(allowsHeadersStop && { allow_on_headers_stop_iteration: true }),
  };
}

/** The plugins of a case, in their order. */
function pluginsOf(one: Case) {
  const { id, beside = [] } = one;
  const others = beside.map(({ vm, ...own }) =>
    plugin(id, vm === undefined ? id : `${id}+${vm}`, { ...one, ...own }),
  );
  return [plugin(id, id, one), ...others];
}

const filter = (kind: string, { isTcp = false }: Case, config: object) => ({
  name: kind,
  typed_config: any(`filters.${isTcp ? "network" : "http"}.${kind}`, config),
});

/** The listener of a case: its plugins, then the way to its cluster. */
export function listener(one: Case, address: string, cluster: string) {
  const plugins = pluginsOf(one).map((config) => filter("wasm.v3.Wasm", one, { config }));
  const proxy = filter("tcp_proxy.v3.TcpProxy", one, { stat_prefix: "probe", cluster });
  const route = { match: { prefix: "/" }, route: { cluster, timeout: "0s" } };
  const manager = any("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "probe",
    http_protocol_options: { enable_trailers: true },
    route_config: {
      name: "routes",
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ ...route, name: "way" }] }],
    },
    http_filters: [...plugins, filter("router.v3.Router", one, {})],
  });
  const filters = one.isTcp ? [...plugins, proxy] : [{ name: "http", typed_config: manager }];
  return {
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    name: one.id,
    address: { socket_address: { address, port_value: 0 } },
    filter_chains: [{ name: "chain", filters }],
  };
}

export interface Cluster {
  readonly name: string;
  readonly port: number;
  readonly isHttp2?: boolean;
}

const address = (port: number) => ({
  address: { socket_address: { address: "127.0.0.1", port_value: port } },
});

function cluster({ name, port, isHttp2 = false }: Cluster) {
  const endpoints = [{ lb_endpoints: [{ endpoint: address(port) }] }];
  const http = isHttp2
    ? { http2_protocol_options: {} }
    : { http_protocol_options: { enable_trailers: true } };
  const protocol = any("upstreams.http.v3.HttpProtocolOptions", { explicit_http_config: http });
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    load_assignment: { cluster_name: name, endpoints },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol,
    },
  };
}

/** What Envoy starts with: its clusters, and where its listeners are told. */
export function bootstrap(lds: string, clusters: readonly Cluster[]) {
  return {
    node: { id: "conformance", cluster: "test" },
    admin: address(0),
    dynamic_resources: {
      lds_config: { path_config_source: { path: lds }, resource_api_version: "V3" },
    },
    static_resources: { clusters: clusters.map(cluster) },
  };
}
