// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { Status } from "./abi/codes";
import * as host from "./abi/host";
import { bufferOut, firstOut, secondOut } from "./abi/result";
import { Bytes } from "./bytes";
import { textLength, textStart } from "./text";

// A property's path is written with a zero byte between the steps: "request\0headers\0x-user". The
// bytes of its value carry no type: `properties` reads each by the type Envoy gives it.

/** The raw value of a property, or null where the host has none now. */
export function getProperty<T>(path: T): Bytes | null {
  const text = textStart<T>(path);
  const status = host.proxy_get_property(text, textLength(), firstOut(), secondOut());
  return status == Status.Ok ? bufferOut() : null;
}

/**
 * Whether the host has a property now. Envoy has some that it cannot write, so that `getProperty`
 * answers null: null in metadata, and all that holds it.
 */
export function hasProperty<T>(path: T): bool {
  const text = textStart<T>(path);
  const status = host.proxy_get_property(text, textLength(), firstOut(), secondOut());
  return status == Status.Ok || status == Status.SerializationFailure;
}

/**
 * Sets a property of the stream. Envoy keeps it as filter state `wasm.<path>`: other plugins read
 * it under this path, access logs as `%FILTER_STATE(wasm.<path>:PLAIN)%`. False if it refuses.
 */
export function setProperty<P, V>(path: P, value: V): bool {
  const text = textStart<P>(path);
  const length = textLength();
  const from = textStart<V>(value);
  return host.proxy_set_property(text, length, from, textLength()) == Status.Ok;
}

/** An integer, a duration or a timestamp in nanoseconds; `otherwise` where there is none. */
export function getInteger<T>(path: T, otherwise: i64): i64 {
  const value = getProperty<T>(path);
  if (value == null || value.length != sizeof<i64>()) return otherwise;
  return load<i64>(value.start);
}

/** A truth; `otherwise` where there is none. */
export function getBool<T>(path: T, otherwise: bool): bool {
  const value = getProperty<T>(path);
  return value == null || value.length != 1 ? otherwise : value.at(0) != 0;
}
