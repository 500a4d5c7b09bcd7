// The Proxy-Wasm ABI as Envoy 1.40 links it. A line is a type, then the names that have it. In types,
// i is i32 and I is i64; what precedes ">" goes in, what follows comes out.

/** Versions whose marker Envoy knows, as exported: `proxy_abi_version_0_2_1`. */
export const ABI_VERSIONS = ["0.1.0", "0.2.0", "0.2.1"];

const HOST_CALLS = typeTable(`
>i proxy_done
i>i proxy_get_current_time_nanoseconds proxy_set_tick_period_milliseconds proxy_grpc_cancel
i>i proxy_grpc_close proxy_set_effective_context
ii>i proxy_get_header_map_size proxy_get_metric pthread_equal
iI>i proxy_record_metric proxy_increment_metric
iii>i proxy_log proxy_get_buffer_status proxy_get_header_map_pairs proxy_set_header_map_pairs
iii>i proxy_remove_header_map_value proxy_get_status proxy_register_shared_queue
iii>i proxy_enqueue_shared_queue proxy_dequeue_shared_queue envoy_resolve_dns
iiii>i proxy_grpc_send proxy_define_metric proxy_get_property proxy_set_property
iiiii>i proxy_get_buffer_bytes proxy_set_buffer_bytes proxy_get_header_map_value
iiiii>i proxy_add_header_map_value proxy_replace_header_map_value proxy_set_shared_data
iiiii>i proxy_get_shared_data proxy_resolve_shared_queue
iiiiii>i proxy_call_foreign_function
iiiiiiii>i proxy_send_local_response
iiiiiiiii>i proxy_grpc_stream
iiiiiiiiii>i proxy_http_call
iiiiiiiiiiii>i proxy_grpc_call
i> emscripten_notify_memory_growth`);

/** Hostcalls that not every version has. */
const HOST_CALLS_OF: Record<string, ReadonlyMap<string, string>> = {
  "0.1.0": typeTable(`
>i proxy_continue_request proxy_continue_response proxy_clear_route_cache
ii>i proxy_get_configuration`),
  "0.2.0": typeTable("i>i proxy_continue_stream proxy_close_stream"),
  "0.2.1": typeTable("i>i proxy_continue_stream proxy_close_stream proxy_get_log_level"),
};

/** WASI preview 1; in path_link and path_symlink Envoy lacks a parameter of the standard. */
const WASI_CALLS = typeTable(`
>i sched_yield
i> proc_exit
i>i fd_close fd_datasync fd_sync
ii>i args_get args_sizes_get environ_get environ_sizes_get clock_res_get random_get
ii>i fd_fdstat_get fd_fdstat_set_flags fd_filestat_get fd_prestat_get fd_renumber fd_tell
ii>i sock_shutdown
iI>i fd_filestat_set_size
iII>i fd_fdstat_set_rights fd_allocate
iIIi>i fd_advise fd_filestat_set_times
iIi>i clock_time_get
iIii>i fd_seek
iii>i fd_prestat_dir_name path_create_directory path_remove_directory path_unlink_file sock_accept
iiii>i fd_read fd_write poll_oneoff path_symlink
iiiIi>i fd_pread fd_pwrite fd_readdir
iiiii>i path_filestat_get sock_send
iiiiii>i path_link path_readlink path_rename sock_recv
iiiiIIi>i path_filestat_set_times
iiiiiIIii>i path_open`);

const CALLBACKS = typeTable(`
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
iiiii> proxy_on_http_call_response`);

/** Callbacks that 0.1.0 has with other parameters. */
const CALLBACKS_OF_0_1_0 = typeTable("ii>i proxy_on_request_headers proxy_on_response_headers");

function typeTable(lines: string): ReadonlyMap<string, string> {
  const values: Record<string, string> = { i: "i32", I: "i64", ">": "->" };
  const rows = lines
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [signs = "", ...names] = line.split(" ");
      const type = [...signs].map((sign) => values[sign]).join(" ");
      return names.map((name) => [name, type] as const);
    });
  return new Map(rows);
}

/** The type of what the host offers under a name, if anything. */
export function hostType(module: string, name: string, abi: string): string | undefined {
  if (module === "env") return HOST_CALLS.get(name) ?? HOST_CALLS_OF[abi]?.get(name);
  const isWasi = module === "wasi_snapshot_preview1" || module === "wasi_unstable";
  return isWasi ? WASI_CALLS.get(name) : undefined;
}

/** The type in which the host calls an export, if it calls it. */
export function callbackType(name: string, abi: string): string | undefined {
  return (abi === "0.1.0" ? CALLBACKS_OF_0_1_0.get(name) : undefined) ?? CALLBACKS.get(name);
}
