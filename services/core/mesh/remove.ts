import { WeftError } from "../error.ts";
import { type ChangeDraft, draftDelete } from "./change.ts";
import { findResource, type Mesh, resourcesOf } from "./mesh.ts";
import { isKind, resourceKey, SPECS } from "./resource.ts";
import { nearest } from "./suggest.ts";

/** Which resource: as a command names it. */
export interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Decides the deletion of resources, each once.
 *
 * @throws WeftError missing `mesh.unknown_resource`: one is not in the mesh; nothing is deleted.
 */
export function deleteResources(mesh: Mesh, refs: readonly Ref[]): ChangeDraft[] {
  const drafts = new Map<string, ChangeDraft>();
  for (const ref of refs) {
    const { kind, namespace, name } = ref;
    const found = isKind(kind) ? findResource(mesh, kind, namespace, name) : undefined;
    if (found === undefined) throw unknownResource(mesh, ref);
    drafts.set(resourceKey(found), draftDelete(found));
  }
  return [...drafts.values()];
}

/** The error for a resource that a mesh does not have, with what was most likely meant. */
export function unknownResource(mesh: Mesh, { kind, namespace, name }: Ref): WeftError {
  const place = namespace === "" ? name : `${namespace}/${name}`;
  const near = isKind(kind)
    ? nearest(place, resourcesOf(mesh, kind).map(placeOf))
    : nearest(kind, Object.keys(SPECS));
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  const message = isKind(kind)
    ? `mesh ${mesh.name} has no ${kind} ${place}`
    : `${kind} is no kind that a mesh holds`;
  return new WeftError("missing", "mesh.unknown_resource", message + hint);
}

function placeOf({ namespace, name }: Ref): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
