import { labelsMatch, type Mesh, type Resource, resourcesOf } from "@weft/core/mesh";
import {
  PeerAuthentication_MutualTls_Mode as Mode,
  type PeerAuthentication_MutualTls as MutualTls,
} from "@weft/proto/weft/mesh/v1/peer_authentication_pb.ts";

/** What a workload takes: plaintext, both, or only mTLS. */
export type MtlsMode = "DISABLE" | "PERMISSIVE" | "STRICT";

export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Tells what a workload takes at one of its ports. */
export type PeerPolicies = (workload: Workload, port: number) => MtlsMode;

type Policy = Resource<"PeerAuthentication">;

/** PeerAuthentication: port over workload over namespace over root; PERMISSIVE without any. */
export function readPeerPolicies(mesh: Mesh, rootNamespace: string): PeerPolicies {
  const wide = new Map<string, Policy>();
  const narrow = new Map<string, Policy[]>();
  for (const policy of resourcesOf(mesh, "PeerAuthentication")) {
    const { namespace, spec } = policy;
    if (Object.keys(spec.selector?.matchLabels ?? {}).length > 0) {
      narrow.set(namespace, [...(narrow.get(namespace) ?? []), policy]);
    } else if (!wide.has(namespace)) {
      wide.set(namespace, policy);
    }
  }
  return ({ namespace, labels }, port) => {
    const own = narrow
      .get(namespace)
      ?.find(({ spec }) => labelsMatch(spec.selector?.matchLabels ?? {}, labels))?.spec;
    return (
      modeOf(own?.portLevelMtls[port]) ??
      modeOf(own?.mtls) ??
      modeOf(wide.get(namespace)?.spec.mtls) ??
      modeOf(wide.get(rootNamespace)?.spec.mtls) ??
      "PERMISSIVE"
    );
  };
}

function modeOf(mtls: MutualTls | undefined): MtlsMode | undefined {
  switch (mtls?.mode) {
    case Mode.DISABLE:
      return "DISABLE";
    case Mode.PERMISSIVE:
      return "PERMISSIVE";
    case Mode.STRICT:
      return "STRICT";
    default:
      return undefined;
  }
}
