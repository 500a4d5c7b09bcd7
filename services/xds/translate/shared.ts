import { type Mesh, resourcesOf } from "@weft/core/mesh";
import type { Scope } from "./scope.ts";

/** Gives the result known for a key, or makes it. */
export type Shared<T> = (mesh: Mesh, key: string, make: () => T) => T;

/**
 * Remembers results for as long as their mesh lives, so that proxies which read the same get the
 * same objects: these are then also encoded only once.
 */
export function createShared<T extends object>(): Shared<T> {
  const known = new WeakMap<Mesh, Map<string, T>>();
  return (mesh, key, make) => {
    const results = known.get(mesh) ?? new Map<string, T>();
    known.set(mesh, results);
    const result = results.get(key) ?? make();
    results.set(key, result);
    return result;
  };
}

/** All that a client's clusters and routes depend on: its namespace, and the labels that are read. */
export function viewKey({ mesh, proxy }: Scope): string {
  const { keys } = labelsRead(mesh, "", () => ({ keys: readLabelKeys(mesh) }));
  return JSON.stringify([proxy.namespace, keys.map((key) => proxy.labels[key] ?? null)]);
}

const labelsRead = createShared<{ readonly keys: readonly string[] }>();

/** The labels by which resources tell one client from another: few, where there are any. */
function readLabelKeys(mesh: Mesh): readonly string[] {
  const selectors = [
    ...resourcesOf(mesh, "DestinationRule").map(
      ({ spec }) => spec.workloadSelector?.matchLabels ?? {},
    ),
    ...resourcesOf(mesh, "VirtualService").flatMap(({ spec }) =>
      spec.http.flatMap(({ match }) => match.map(({ sourceLabels }) => sourceLabels)),
    ),
    ...resourcesOf(mesh, "WasmPlugin").map(({ spec }) => spec.selector?.matchLabels ?? {}),
  ];
  return [...new Set(selectors.flatMap(Object.keys))].sort();
}
