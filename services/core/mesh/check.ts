import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { createReport } from "./finding.ts";
import { type ReadManifest, subjectOf } from "./manifest.ts";
import type { Mesh } from "./mesh.ts";
import { checkReachability } from "./reachability.ts";
import {
  checkDestinationRuleReferences,
  checkVirtualServiceReferences,
  checkWasmPluginReferences,
  createRegistry,
  type ReferenceCheck,
} from "./references.ts";
import type { Kind, Spec } from "./resource.ts";

/**
 * What is to be said of manifests in the mesh they make: references that lead nowhere, rules that
 * nothing reaches. `mesh` is as it would be with them. All are warnings, but for a module that is
 * not in the store.
 */
export function checkMesh(mesh: Mesh, changed: readonly ReadManifest[]): readonly Finding[] {
  const registry = createRegistry(mesh);
  return changed.flatMap((manifest) => {
    const report = createReport({ ...manifest, subject: subjectOf(manifest) });
    const { namespace } = manifest;
    checkManifest(manifest, { namespace, registry, report: report.in("spec") });
    return report.findings;
  });
}

function checkManifest(manifest: ReadManifest, check: ReferenceCheck): void {
  if (isOf(manifest, "VirtualService")) {
    checkVirtualServiceReferences(manifest.spec, check);
    checkReachability(manifest.spec, { report: check.report, places: manifest.places });
  } else if (isOf(manifest, "DestinationRule")) {
    checkDestinationRuleReferences(manifest.spec, check);
  } else if (isOf(manifest, "WasmPlugin")) {
    checkWasmPluginReferences(manifest.spec, check);
  }
}

function isOf<K extends Kind>(
  manifest: ReadManifest,
  kind: K,
): manifest is ReadManifest & { readonly kind: K; readonly spec: Spec<K> } {
  return manifest.kind === kind;
}
