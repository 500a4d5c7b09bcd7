import { type ChangeDraft, draftPut } from "./change.ts";
import type { ReadManifest } from "./manifest.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Decides what applying manifests changes: a draft for each of them, in their order. One that says
 * what the mesh has already is `unchanged`, and no commit is due if all are.
 */
export function applyManifests(mesh: Mesh, manifests: readonly ReadManifest[]): ChangeDraft[] {
  return manifests.map(({ kind, manifest, spec }) => {
    const { labels, annotations } = manifest;
    return draftPut(mesh, manifest, { kind, spec, labels, annotations });
  });
}
