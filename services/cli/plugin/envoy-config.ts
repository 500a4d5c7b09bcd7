import { assert } from "@weft/core/error";

/** An object as Envoy reads it from JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** Who answers requests, or calls of the plugin's. */
export interface Upstream {
  /** `127.0.0.1:9000` */
  readonly address: string;
  /** Spoken from the first byte, as gRPC wants it; else HTTP/1.1. */
  readonly http2?: boolean;
}

/** What stands around the plugin. */
export interface Surroundings {
  /** A TCP plugin filters connections in front of `tcp_proxy`, any other requests. */
  readonly kind: "http" | "tcp";
  /** Where the listener stands on loopback; 0 takes a free port. */
  readonly port: number;
  /** The same of the admin page; a free one if not named. */
  readonly adminPort?: number;
  readonly upstream: Upstream;
  /** What the plugin may call, by the names it calls. */
  readonly clusters?: Readonly<Record<string, Upstream>>;
  /** Filters as Envoy's JSON that see a request, or a connection, before the plugin. */
  readonly before?: readonly Json[];
  /** The same behind it. */
  readonly after?: readonly Json[];
  /** Routes in place of the one to the upstream, whose cluster is `upstream`. */
  readonly routes?: readonly Json[];
  /** More fields of the HTTP connection manager. */
  readonly manager?: Json;
  /**
   * Whether requests pass through a listener of their own on their way upstream, where `/tap` sees
   * what answers come before the plugin has them.
   */
  readonly isRecordable?: boolean;
}

/** What happens when the plugin traps; see docs/plugins.md. */
export type FailurePolicy = "FAIL_CLOSED" | "FAIL_OPEN" | "FAIL_RELOAD";

/** A plugin as it goes into the slot. */
export interface PluginSetting {
  readonly name: string;
  readonly rootId: string;
  /** Plugins of one id, code and environment share their VMs; their shared data by the id alone. */
  readonly vmId: string;
  readonly wasm: Uint8Array;
  /** What `onConfigure` gets, as it is. */
  readonly configuration: Uint8Array | string;
  readonly failurePolicy?: FailurePolicy;
  /** How long a VM must have lived for FAIL_RELOAD to start it again. */
  readonly reloadIntervalMs?: number;
  /** Hostcalls and callbacks that it may use; all, if none are named. */
  readonly capabilities?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The listener, its route and the cluster it leads to. */
export const LISTENER = "plugin";
export const UPSTREAM = "upstream";

/** The listener behind the plugin of a recordable Envoy, and the cluster behind that. */
export const BEHIND = "behind";
const RECORDED = "recorded";

/** The slot that the plugin is put into: Envoy asks for it by this name. */
export const SLOT = "plugin";

/** By which the admin page's `/tap` finds the filter before the plugin. */
export const TAP_ID = "weft";

const LOOPBACK = "127.0.0.1";

/** A host that answers at all does so at once; the system's own patience is two minutes. */
const CONNECT_TIMEOUT = "1s";

/** The bootstrap of an Envoy whose plugin comes out of a file in a folder that it watches. */
export function bootstrapOf(surroundings: Surroundings, slotFolder: string): Json {
  const { kind, port, upstream, clusters = {}, adminPort = 0, isRecordable = false } = surroundings;
  const filters =
    kind === "http" ? [managerOf(surroundings, slotFolder)] : tcpFilters(surroundings, slotFolder);
  const hop = isRecordable && kind === "http";
  const listener = {
    name: LISTENER,
    ...addressOf(`${LOOPBACK}:${port}`),
    filter_chains: [{ filters }],
  };
  const called = Object.entries(clusters).map(([name, each]) => {
    return clusterOf(name, { ...each, endpoint: addressOf(each.address) });
  });
  const address = { ...upstream, endpoint: addressOf(upstream.address) };
  return {
    node: { id: "plugin", cluster: "plugin" },
    admin: addressOf(`${LOOPBACK}:${adminPort}`),
    ...(hop ? { bootstrap_extensions: [INTERNAL_LISTENERS] } : {}),
    static_resources: {
      listeners: hop ? [listener, LISTENER_BEHIND] : [listener],
      clusters: [
        ...called,
        ...(hop
          ? [clusterOf(UPSTREAM, { endpoint: ENDPOINT_BEHIND }), clusterOf(RECORDED, address)]
          : [clusterOf(UPSTREAM, address)]),
      ],
    },
    overload_manager: { resource_monitors: [CONNECTIONS] },
  };
}

/** More than one machine opens to itself; Envoy warns at each start where there is no limit. */
const CONNECTIONS_MAX = 10_000;

const CONNECTIONS = {
  name: "envoy.resource_monitors.global_downstream_max_connections",
  typed_config: any(
    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
    { max_active_downstream_connections: CONNECTIONS_MAX },
  ),
};

/** What the slot's file holds: a discovery response with the plugin. */
export function slotOf(kind: Surroundings["kind"], setting: PluginSetting, version: string): Json {
  const { name, rootId, vmId, wasm, configuration, environment } = setting;
  const config = {
    name,
    root_id: rootId,
    vm_config: {
      vm_id: vmId,
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { inline_bytes: Buffer.from(wasm).toString("base64") } },
      ...(environment === undefined ? {} : { environment_variables: { key_values: environment } }),
    },
    configuration: configurationOf(configuration),
    failure_policy: setting.failurePolicy ?? "FAIL_CLOSED",
    ...reloadOf(setting),
    ...capabilitiesOf(setting),
  };
  return {
    version_info: version,
    resources: [
      any("envoy.config.core.v3.TypedExtensionConfig", {
        name: SLOT,
        typed_config: any(WASM[kind], { config }),
      }),
    ],
  };
}

const WASM = {
  http: "envoy.extensions.filters.http.wasm.v3.Wasm",
  tcp: "envoy.extensions.filters.network.wasm.v3.Wasm",
} as const;

/** Both reach the plugin as the bytes they hold; a string says itself what it is in a dump. */
function configurationOf(configuration: Uint8Array | string): Json {
  if (typeof configuration === "string") {
    return any("google.protobuf.StringValue", { value: configuration });
  }
  const value = Buffer.from(configuration).toString("base64");
  return any("google.protobuf.BytesValue", { value });
}

/** Envoy 1.40 divides by half of it, in whole numbers, and dies of a shorter one at a reload. */
const RELOAD_MS_MIN = 2;

function reloadOf({ reloadIntervalMs }: PluginSetting): Json {
  if (reloadIntervalMs === undefined) return {};
  assert(reloadIntervalMs >= RELOAD_MS_MIN, `${reloadIntervalMs} ms kill Envoy at a reload`);
  const base_interval = `${reloadIntervalMs / 1_000}s`;
  return { reload_config: { backoff: { base_interval } } };
}

function capabilitiesOf({ capabilities }: PluginSetting): Json {
  if (capabilities === undefined) return {};
  const allowed_capabilities = Object.fromEntries(capabilities.map((name) => [name, {}]));
  return { capability_restriction_config: { allowed_capabilities } };
}

function managerOf(surroundings: Surroundings, slotFolder: string): Json {
  const { before = [], after = [], routes = [routeTo(UPSTREAM)], manager = {} } = surroundings;
  return managerWith([TAP, ...before, slotFilter("http", slotFolder), ...after], {
    stat_prefix: LISTENER,
    routes,
    ...manager,
  });
}

/** A connection manager with these filters before the router. */
function managerWith(filters: readonly Json[], { routes, ...more }: Json): Json {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: any(
      "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      {
        http_protocol_options: { enable_trailers: true },
        route_config: {
          name: LISTENER,
          virtual_hosts: [{ name: LISTENER, domains: ["*"], routes }],
        },
        http_filters: [
          ...filters,
          {
            name: "envoy.filters.http.router",
            typed_config: any("envoy.extensions.filters.http.router.v3.Router", {}),
          },
        ],
        ...more,
      },
    ),
  };
}

/** All goes upstream, and takes as long as it takes: a plugin may hold it for its own reasons. */
function routeTo(cluster: string): Json {
  return { match: { prefix: "/" }, route: { cluster, timeout: "0s" } };
}

const TAP = {
  name: "envoy.filters.http.tap",
  typed_config: any("envoy.extensions.filters.http.tap.v3.Tap", {
    common_config: { admin_config: { config_id: TAP_ID } },
  }),
};

const INTERNAL_LISTENERS = {
  name: "envoy.bootstrap.internal_listener",
  typed_config: any("envoy.extensions.bootstrap.internal_listener.v3.InternalListener", {}),
};

const ENDPOINT_BEHIND = {
  address: { envoy_internal_address: { server_listener_name: BEHIND, endpoint_id: BEHIND } },
};

/** Passes requests on as they are, ids and all: both taps tell of one request by its id. */
const LISTENER_BEHIND = {
  name: BEHIND,
  internal_listener: {},
  filter_chains: [
    {
      filters: [
        managerWith([TAP], {
          stat_prefix: BEHIND,
          routes: [routeTo(RECORDED)],
          preserve_external_request_id: true,
          server_header_transformation: "PASS_THROUGH",
        }),
      ],
    },
  ],
};

function tcpFilters({ before = [], after = [] }: Surroundings, slotFolder: string): Json[] {
  const proxy = {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
      stat_prefix: LISTENER,
      cluster: UPSTREAM,
    }),
  };
  return [...before, slotFilter("tcp", slotFolder), ...after, proxy];
}

/** Envoy reads the file again whenever one is moved into the folder. */
function slotFilter(kind: Surroundings["kind"], slotFolder: string): Json {
  return {
    name: SLOT,
    config_discovery: {
      config_source: {
        path_config_source: {
          path: `${slotFolder}/${SLOT}.json`,
          watched_directory: { path: slotFolder },
        },
        resource_api_version: "V3",
      },
      type_urls: [`type.googleapis.com/${WASM[kind]}`],
    },
  };
}

interface Endpoint {
  readonly endpoint: Json;
  /** As it is written; none for one within Envoy. */
  readonly address?: string;
  readonly http2?: boolean;
}

function clusterOf(name: string, { endpoint, address = "", http2 = false }: Endpoint): Json {
  const protocol = http2
    ? { http2_protocol_options: {} }
    : { http_protocol_options: { enable_trailers: true } };
  return {
    name,
    type: /^[a-z]/i.test(address) ? "STRICT_DNS" : "STATIC",
    connect_timeout: CONNECT_TIMEOUT,
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        { explicit_http_config: protocol },
      ),
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint }] }],
    },
  };
}

function addressOf(hostPort: string): Json {
  const at = hostPort.lastIndexOf(":");
  const address = hostPort.slice(0, at).replace(/^\[|\]$/g, "");
  return { address: { socket_address: { address, port_value: Number(hostPort.slice(at + 1)) } } };
}

function any(type: string, value: Json): Json {
  return { "@type": `type.googleapis.com/${type}`, ...value };
}
