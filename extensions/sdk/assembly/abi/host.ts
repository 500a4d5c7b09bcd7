// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

// What the host offers (Proxy-Wasm ABI 0.2.1, "Imports"). Only what a plugin reaches is imported.
// A `usize, usize` pair is an address and a length; a lone address is where the host writes.
// Everything is answered with a Status.

@external("env", "proxy_log")
export declare function proxy_log(level: i32, message: usize, length: usize): i32;

/** Only a module that declares 0.2.1 may import this one. */
@external("env", "proxy_get_log_level")
export declare function proxy_get_log_level(level: usize): i32;

@external("env", "proxy_set_tick_period_milliseconds")
export declare function proxy_set_tick_period_milliseconds(ms: u32): i32;

@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(
  buffer: i32, start: usize, max: usize, data: usize, length: usize,
): i32;

@external("env", "proxy_get_buffer_status")
export declare function proxy_get_buffer_status(buffer: i32, length: usize, flags: usize): i32;

@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(
  buffer: i32, start: usize, size: usize, data: usize, length: usize,
): i32;

@external("env", "proxy_get_header_map_size")
export declare function proxy_get_header_map_size(map: i32, bytes: usize): i32;

@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map: i32, pairs: usize, length: usize): i32;

@external("env", "proxy_set_header_map_pairs")
export declare function proxy_set_header_map_pairs(map: i32, pairs: usize, length: usize): i32;

@external("env", "proxy_get_header_map_value")
export declare function proxy_get_header_map_value(
  map: i32, key: usize, keyLength: usize, value: usize, valueLength: usize,
): i32;

@external("env", "proxy_add_header_map_value")
export declare function proxy_add_header_map_value(
  map: i32, key: usize, keyLength: usize, value: usize, valueLength: usize,
): i32;

@external("env", "proxy_replace_header_map_value")
export declare function proxy_replace_header_map_value(
  map: i32, key: usize, keyLength: usize, value: usize, valueLength: usize,
): i32;

@external("env", "proxy_remove_header_map_value")
export declare function proxy_remove_header_map_value(map: i32, key: usize, keyLength: usize): i32;

@external("env", "proxy_continue_stream")
export declare function proxy_continue_stream(stream: i32): i32;

@external("env", "proxy_close_stream")
export declare function proxy_close_stream(stream: i32): i32;

@external("env", "proxy_get_status")
export declare function proxy_get_status(code: usize, message: usize, length: usize): i32;

@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(
  status: u32, details: usize, detailsLength: usize, body: usize, bodyLength: usize, headers:
  usize, headersLength: usize, grpcStatus: i32,
): i32;

@external("env", "proxy_http_call")
export declare function proxy_http_call(
  upstream: usize, upstreamLength: usize, headers: usize, headersLength: usize, body: usize,
  bodyLength: usize, trailers: usize, trailersLength: usize, timeoutMs: u32, call: usize,
): i32;

@external("env", "proxy_grpc_call")
export declare function proxy_grpc_call(
  upstream: usize, upstreamLength: usize, service: usize, serviceLength: usize, method: usize,
  methodLength: usize, metadata: usize, metadataLength: usize, message: usize, messageLength:
  usize, timeoutMs: u32, call: usize,
): i32;

@external("env", "proxy_grpc_stream")
export declare function proxy_grpc_stream(
  upstream: usize, upstreamLength: usize, service: usize, serviceLength: usize, method: usize,
  methodLength: usize, metadata: usize, metadataLength: usize, stream: usize,
): i32;

@external("env", "proxy_grpc_send")
export declare function proxy_grpc_send(
  stream: u32, message: usize, length: usize, endStream: u32,
): i32;

@external("env", "proxy_grpc_cancel")
export declare function proxy_grpc_cancel(call: u32): i32;

@external("env", "proxy_grpc_close")
export declare function proxy_grpc_close(stream: u32): i32;

@external("env", "proxy_set_shared_data")
export declare function proxy_set_shared_data(
  key: usize, keyLength: usize, value: usize, valueLength: usize, cas: u32,
): i32;

@external("env", "proxy_get_shared_data")
export declare function proxy_get_shared_data(
  key: usize, keyLength: usize, value: usize, valueLength: usize, cas: usize,
): i32;

@external("env", "proxy_register_shared_queue")
export declare function proxy_register_shared_queue(name: usize, length: usize, queue: usize): i32;

@external("env", "proxy_resolve_shared_queue")
export declare function proxy_resolve_shared_queue(
  vm: usize, vmLength: usize, name: usize, length: usize, queue: usize,
): i32;

@external("env", "proxy_enqueue_shared_queue")
export declare function proxy_enqueue_shared_queue(queue: u32, value: usize, length: usize): i32;

@external("env", "proxy_dequeue_shared_queue")
export declare function proxy_dequeue_shared_queue(queue: u32, value: usize, length: usize): i32;

@external("env", "proxy_define_metric")
export declare function proxy_define_metric(type: i32, name: usize, length: usize, id: usize): i32;

@external("env", "proxy_record_metric")
export declare function proxy_record_metric(id: u32, value: i64): i32;

@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(id: u32, delta: i64): i32;

@external("env", "proxy_get_metric")
export declare function proxy_get_metric(id: u32, value: usize): i32;

@external("env", "proxy_get_property")
export declare function proxy_get_property(
  path: usize, pathLength: usize, value: usize, valueLength: usize,
): i32;

@external("env", "proxy_set_property")
export declare function proxy_set_property(
  path: usize, pathLength: usize, value: usize, valueLength: usize,
): i32;

@external("env", "proxy_call_foreign_function")
export declare function proxy_call_foreign_function(
  name: usize, nameLength: usize, input: usize, inputLength: usize, result: usize, resultLength:
  usize,
): i32;

@external("env", "proxy_set_effective_context")
export declare function proxy_set_effective_context(context: u32): i32;

@external("env", "proxy_done")
export declare function proxy_done(): i32;

/** Answers an errno of WASI: 0 is well. Clock 0 is the calendar's, 1 only ever goes forward. */
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: i32, precision: i64, nanoseconds: usize): i32;

/** Answers an errno of WASI: 0 is well. At most 64 KiB at a time. */
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(to: usize, length: usize): i32;
