// What the host offers, as far as the SDK uses it (Proxy-Wasm ABI 0.2.1, "Imports").
// A `usize, usize` pair is an address and a length; a lone address is where the host writes.
// Everything is answered with a Status.

@external("env", "proxy_log")
export declare function proxy_log(level: i32, message: usize, length: usize): i32;

/** Only a module that declares 0.2.1 may import this one. */
@external("env", "proxy_get_log_level")
export declare function proxy_get_log_level(level: usize): i32;

@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(
  buffer: i32, start: usize, max: usize, data: usize, length: usize,
): i32;

@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map: i32, pairs: usize, length: usize): i32;

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
export declare function proxy_remove_header_map_value(
  map: i32, key: usize, keyLength: usize,
): i32;

@external("env", "proxy_define_metric")
export declare function proxy_define_metric(
  type: i32, name: usize, length: usize, id: usize,
): i32;

@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(id: u32, delta: i64): i32;
