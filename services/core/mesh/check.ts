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
    const check = { namespace, registry, report: report.in("spec") };
    checkReferences(manifest, check);
    if (isOf(manifest, "VirtualService")) {
      checkReachability(manifest.spec, { report: check.report, places: manifest.places });
    }
    return report.findings;
  });
}

/** Warns of what a resource refers to in vain. */
export function checkReferences(written: WrittenSpec, check: ReferenceCheck): void {
  if (isOf(written, "VirtualService")) {
    checkVirtualServiceReferences(written.spec, check);
  } else if (isOf(written, "DestinationRule")) {
    checkDestinationRuleReferences(written.spec, check);
  } else if (isOf(written, "WasmPlugin")) {
    checkWasmPluginReferences(written.spec, check);
  }
}

interface WrittenSpec<K extends Kind = Kind> {
  readonly kind: K;
  readonly spec: Spec<K>;
}

function isOf<K extends Kind>(written: WrittenSpec, kind: K): written is WrittenSpec<K> {
  return written.kind === kind;
}
