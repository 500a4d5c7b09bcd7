// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.
// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { allocate } from "./arena";
import { Bytes } from "./bytes";
import { Pairs } from "./pairs";
import { getBool, getProperty } from "./property";
import { textLength, textStart } from "./text";

// Metadata are structs under namespaces. The host steps into them by path and answers texts as
// their bytes, numbers as doubles, booleans as a byte, and structs and lists as pairs. Nothing in
// the answer tells which: whoever asks must know. A plugin cannot write metadata; `setProperty`
// is what other plugins and access logs read instead.

/**
 * A place in metadata. It lies in the memory of the callback, and is gone when that ends.
 *
 *     const claims = dynamicMetadata("envoy.filters.http.jwt_authn").at("payload");
 *     const subject = claims.at("sub").text();
 */
@final @unmanaged
export class Metadata {
  private path: Bytes;

  /** Use `dynamicMetadata` and its like. */
  static of(path: Bytes): Metadata {
    const metadata = changetype<Metadata>(allocate(offsetof<Metadata>()));
    metadata.path = path;
    return metadata;
  }

  /** The place of a key of this struct; in a list, of a position: "0" is the first one. */
  at<K>(key: K): Metadata {
    return Metadata.of(joined<Bytes, K>(this.path, key));
  }

  /** The text that stands here; null if nothing does, or null. */
  text(): Bytes | null {
    return getProperty(this.path);
  }

  /** The number that stands here. */
  number(otherwise: f64 = 0): f64 {
    const value = getProperty(this.path);
    return value == null || value.length != sizeof<f64>() ? otherwise : load<f64>(value.start);
  }

  /** The truth that stands here. */
  bool(otherwise: bool = false): bool {
    return getBool(this.path, otherwise);
  }

  /**
   * The struct that stands here, as names and values; of a list, the items are the names. Empty
   * if there is none, or if null stands anywhere in it, which the host cannot write.
   */
  pairs(): Pairs {
    const value = getProperty(this.path);
    return new Pairs(value == null ? Bytes.view(0, 0) : value);
  }
}

/** What other filters have told of this stream under a namespace, as their name. */
export function dynamicMetadata<N>(namespace: N): Metadata {
  return Metadata.of(joined<string, N>("metadata\0filter_metadata", namespace));
}

/** What the control plane has put on the route that was chosen. */
export function routeMetadata<N>(namespace: N): Metadata {
  return Metadata.of(joined<string, N>("xds\0route_metadata\0filter_metadata", namespace));
}

/** What the control plane has put on the cluster that was chosen. */
export function clusterMetadata<N>(namespace: N): Metadata {
  return Metadata.of(joined<string, N>("xds\0cluster_metadata\0filter_metadata", namespace));
}

/** What the control plane has put on the endpoint that was chosen. */
export function upstreamHostMetadata<N>(namespace: N): Metadata {
  return Metadata.of(joined<string, N>("xds\0upstream_host_metadata\0filter_metadata", namespace));
}

/** A path with one step more. */
function joined<P, K>(path: P, key: K): Bytes {
  const from = textStart<P>(path);
  const length = textLength();
  const step = textStart<K>(key);
  const stepLength = textLength();
  const to = allocate(length + 1 + stepLength);
  if (to == 0) return Bytes.view(0, 0);
  memory.copy(to, from, length);
  store<u8>(to + length, 0);
  memory.copy(to + length + 1, step, stepLength);
  return Bytes.view(to, length + 1 + stepLength);
}
