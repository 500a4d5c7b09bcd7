import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { CODES, type Code } from "../error.ts";
import { checkReferences } from "./check.ts";
import { createReport } from "./finding.ts";
import { subjectOf } from "./manifest.ts";
import { findResource, type Mesh, resourcesOf } from "./mesh.ts";
import { createRegistry, type Registry } from "./references.ts";
import type { Resource } from "./resource.ts";

/** Kinds whose resources refer to others. */
const REFERRING = ["VirtualService", "DestinationRule", "WasmPlugin"] as const;

/** Broken references that one change is told: whoever breaks more starts with these. */
const BREAKAGES_MAX = 100;

/**
 * What a change breaks: references of resources in `after` that lead nowhere there, and did not in
 * `before`. Each missing thing is told once a resource, at the line the resource was applied from:
 * where in the file the reference stands now is not known. Findings are as `checkMesh` makes them.
 */
export function checkBreakage(before: Mesh, after: Mesh): readonly Finding[] {
  const then = registryOf(before);
  const now = registryOf(after);
  const broken: Finding[] = [];
  for (const kind of REFERRING) {
    for (const resource of resourcesOf(after, kind)) {
      const { namespace, name } = resource;
      const dangling = danglingOf(resource, now);
      if (dangling.size === 0) continue;
      const earlier = findResource(before, kind, namespace, name);
      const known = earlier === undefined ? undefined : danglingOf(earlier, then);
      for (const [key, finding] of dangling) {
        if (known?.has(key)) continue;
        broken.push(finding);
        if (broken.length === BREAKAGES_MAX) return broken;
      }
    }
  }
  return broken;
}

/** The reference was right until now: to suggest another host would mislead, and takes long. */
function registryOf(mesh: Mesh): Registry {
  return { ...createRegistry(mesh), hostsIn: () => [] };
}

/** What a resource refers to in vain, by what is said of it. */
function danglingOf(resource: Resource, registry: Registry): ReadonlyMap<string, Finding> {
  const { kind, namespace, spec, manifest } = resource;
  const { path = "", line = 0 } = manifest.origin ?? {};
  const at = { line, column: line === 0 ? 0 : 1 };
  const report = createReport({ path, subject: subjectOf(resource), at, places: new Map() });
  checkReferences({ kind, spec }, { namespace, registry, report: report.in("spec") });
  const dangling = new Map<string, Finding>();
  for (const finding of report.findings) {
    const key = `${finding.code} ${finding.message}`;
    if (dangling.has(key)) continue;
    finding.help = CODES[finding.code as Code].help;
    dangling.set(key, finding);
  }
  return dangling;
}
