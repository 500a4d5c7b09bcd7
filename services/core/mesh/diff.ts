import { saysTheSame } from "./change.ts";
import type { Mesh } from "./mesh.ts";
import { isKind, type Resource, resourceKey } from "./resource.ts";

/** A resource that two meshes do not both have just so. At least one side is there. */
export interface ResourceChange {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

/** What differs from one mesh to another, by kind, namespace and name. */
export function diffMeshes(before: Mesh, after: Mesh): ResourceChange[] {
  const changes = new Map<string, ResourceChange>();
  const kinds = new Set([...Object.keys(before.resources), ...Object.keys(after.resources)]);
  for (const kind of kinds) {
    if (!isKind(kind)) continue;
    const left: ReadonlyMap<string, Resource> | undefined = before.resources[kind];
    const right: ReadonlyMap<string, Resource> | undefined = after.resources[kind];
    // Meshes of one history share the maps that did not change between them.
    if (left === right) continue;
    for (const name of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
      const change = { before: left?.get(name), after: right?.get(name) };
      const one = change.before ?? change.after;
      if (one !== undefined && differs(change)) changes.set(resourceKey(one), change);
    }
  }
  return [...changes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, change]) => change);
}

function differs({ before, after }: ResourceChange): boolean {
  if (before === after) return false;
  return before === undefined || after === undefined || !saysTheSame(before, after);
}
