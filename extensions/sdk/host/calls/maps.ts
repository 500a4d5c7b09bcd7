import type { HeaderMap } from "../header-map.ts";
import { type Answer, type Caller, hostcall } from "../hostcall.ts";
import { decodePairs, encodePairs } from "../pairs.ts";
import { MapKind, Status } from "../status.ts";

const KIND_MAX = MapKind.httpCallTrailers;

/** The last of those that a plugin may change: what callouts bring is to be read only. */
const WRITABLE_MAX = MapKind.responseTrailers;

/** Runs on a map to be changed, which must be there. */
function on({ context }: Caller, kind: number, act: (map: HeaderMap) => void): number {
  const isWritable = kind <= WRITABLE_MAX && !context.isLogging;
  const map = isWritable ? context.maps.get(kind) : undefined;
  if (map === undefined) return Status.badArgument;
  act(map);
  return Status.ok;
}

/** A map that is there to be read: those of callouts belong to the root. */
const mapOf = ({ context }: Caller, kind: number): HeaderMap | undefined =>
  context.maps.get(kind) ?? (kind > WRITABLE_MAX ? context.root.maps.get(kind) : undefined);

/** Runs on a map to be read; while a stream is logged, a map that never came is no mistake. */
function see<T extends unknown[]>(
  caller: Caller,
  kind: number,
  { act, absent }: { act: (map: HeaderMap) => Answer<T>; absent: Answer<T> },
): Answer<T> {
  const map = mapOf(caller, kind);
  if (map !== undefined) return act(map);
  return caller.context.isLogging && kind <= KIND_MAX ? absent : Status.badArgument;
}

export const mapCalls = {
  proxy_get_header_map_size: hostcall("n", "N", (caller, kind) =>
    see<[number]>(caller, kind, { act: (map) => [map.bytes], absent: [0] }),
  ),
  proxy_get_header_map_pairs: hostcall("n", "B", (caller, kind) => {
    const none: [Uint8Array] = [new Uint8Array()];
    const isAbsent = kind <= KIND_MAX && mapOf(caller, kind) === undefined;
    if (isAbsent && caller.vm.profile.missingMapsHaveNoPairs) return none;
    return see<[Uint8Array]>(caller, kind, {
      act: (map) => [encodePairs(map.entries())],
      absent: none,
    });
  }),
  proxy_set_header_map_pairs: hostcall("nb", "", (caller, kind, pairs) => {
    // Pairs that do not parse are none.
    const headers = decodePairs(pairs);
    return on(caller, kind, (map) => map.set(headers ?? []));
  }),
  proxy_get_header_map_value: hostcall("nt", "B", (caller, kind, key) =>
    see<[Uint8Array]>(caller, kind, {
      act: (map) => {
        const value = map.first(key);
        if (value !== undefined) return [Buffer.from(value)];
        // The first version had no way to say that a header is not there.
        return caller.vm.abi === "0.1.0" ? [new Uint8Array()] : Status.notFound;
      },
      absent: Status.notFound,
    }),
  ),
  proxy_add_header_map_value: hostcall("ntt", "", (caller, kind, key, value) =>
    on(caller, kind, (map) => map.add(key, value)),
  ),
  proxy_replace_header_map_value: hostcall("ntt", "", (caller, kind, key, value) =>
    on(caller, kind, (map) => map.replace(key, value)),
  ),
  proxy_remove_header_map_value: hostcall("nt", "", (caller, kind, key) =>
    on(caller, kind, (map) => map.remove(key)),
  ),
};
