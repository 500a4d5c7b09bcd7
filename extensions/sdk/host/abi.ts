import { bufferCalls } from "./calls/buffers.ts";
import { calloutCalls } from "./calls/callouts.ts";
import { foreignCalls } from "./calls/foreign.ts";
import { grpcCalls } from "./calls/grpc.ts";
import { logCalls } from "./calls/log.ts";
import { mapCalls } from "./calls/maps.ts";
import { metricCalls } from "./calls/metrics.ts";
import { propertyCalls } from "./calls/properties.ts";
import { sharedCalls } from "./calls/shared.ts";
import { firstVersionCalls, streamCalls } from "./calls/streams.ts";
import { wasiCalls } from "./calls/wasi.ts";
import { type Hostcall, wasiCall } from "./hostcall.ts";

export const ABI_VERSIONS = ["0.1.0", "0.2.0", "0.2.1"] as const;
export type AbiVersion = (typeof ABI_VERSIONS)[number];

const ALL: Readonly<Record<string, Hostcall>> = {
  ...logCalls,
  ...bufferCalls,
  ...mapCalls,
  ...streamCalls,
  ...propertyCalls,
  ...metricCalls,
  ...sharedCalls,
  ...calloutCalls,
  ...grpcCalls,
  ...foreignCalls,
  ...firstVersionCalls,
  // What C and C++ toolchains of old import; both are without meaning here.
  pthread_equal: wasiCall("nn", (_, left, right) => (left === right ? 1 : 0)),
  emscripten_notify_memory_growth: wasiCall("n", () => undefined, ""),
};

/** Hostcalls that not every version has, and which have them. */
const VERSIONS: Readonly<Record<string, readonly AbiVersion[]>> = {
  proxy_get_log_level: ["0.2.1"],
  proxy_continue_stream: ["0.2.0", "0.2.1"],
  proxy_close_stream: ["0.2.0", "0.2.1"],
  proxy_get_configuration: ["0.1.0"],
  proxy_continue_request: ["0.1.0"],
  proxy_continue_response: ["0.1.0"],
  proxy_clear_route_cache: ["0.1.0"],
};

/** The call a module of that version may import under a name, if there is one. */
export function findCall(module: string, name: string, abi: AbiVersion): Hostcall | undefined {
  if (module === "wasi_snapshot_preview1" || module === "wasi_unstable") {
    return Object.hasOwn(wasiCalls, name) ? wasiCalls[name] : undefined;
  }
  const isThere = module === "env" && (VERSIONS[name] ?? ABI_VERSIONS).includes(abi);
  return isThere && Object.hasOwn(ALL, name) ? ALL[name] : undefined;
}

/** Types of the exports that hosts call. A line is a type, then names; i is i32. */
const CALLBACKS = `
> _initialize _start
>i __main_void
ii>i main
i>i malloc proxy_on_memory_allocate proxy_on_done proxy_on_new_connection
i> proxy_on_tick proxy_on_log proxy_on_delete
ii> proxy_on_context_create proxy_on_queue_ready envoy_on_stats_update
ii> proxy_on_downstream_connection_close proxy_on_upstream_connection_close
ii>i proxy_on_vm_start proxy_validate_configuration proxy_on_configure
ii>i proxy_on_request_trailers proxy_on_response_trailers
ii>i proxy_on_request_metadata proxy_on_response_metadata
iii>i proxy_on_downstream_data proxy_on_upstream_data
iii>i proxy_on_request_headers proxy_on_response_headers
iii>i proxy_on_request_body proxy_on_response_body
iii> proxy_on_foreign_function envoy_on_resolve_dns proxy_on_grpc_receive_initial_metadata
iii> proxy_on_grpc_receive proxy_on_grpc_receive_trailing_metadata proxy_on_grpc_close
iiiii> proxy_on_http_call_response`;

const CALLBACK_TYPES: ReadonlyMap<string, string> = new Map(
  CALLBACKS.trim()
    .split("\n")
    .flatMap((line) => {
      const [signs = "", ...names] = line.split(" ");
      const type = [...signs].map((sign) => (sign === "i" ? "i32" : "->")).join(" ");
      return names.map((name) => [name, type] as const);
    }),
);

/** Callbacks of 0.1.0 that are not told whether the stream ends. */
const SHORT_CALLBACKS = ["proxy_on_request_headers", "proxy_on_response_headers"];

/** The type in which a host calls an export, if it calls it. */
export function callbackType(name: string, abi: AbiVersion): string | undefined {
  if (abi === "0.1.0" && SHORT_CALLBACKS.includes(name)) return "i32 i32 -> i32";
  return CALLBACK_TYPES.get(name);
}
