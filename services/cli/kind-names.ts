import { WeftError } from "@weft/core/error";
import type { Kind } from "@weft/core/mesh";

/** The names that people may use for a kind beside its own; those of istioctl and kubectl. */
const ALIASES: Readonly<Record<Kind, readonly string[]>> = {
  DestinationRule: ["destinationrules", "dr"],
  Gateway: ["gateways", "gw"],
  MeshConfig: ["meshconfigs", "mc"],
  PeerAuthentication: ["peerauthentications", "pa"],
  Plugin: ["plugins"],
  ServiceEntry: ["serviceentries", "se"],
  VirtualService: ["virtualservices", "vs"],
  WasmPlugin: ["wasmplugins", "wp"],
  WorkloadEntry: ["workloadentries", "we"],
};

/** Kinds that a mesh has by name alone. */
const MESH_WIDE: ReadonlySet<string> = new Set<Kind>(["MeshConfig", "Plugin"]);

/** The kind that was meant. @throws WeftError invalid `cli.usage` */
export function kindNamed(text: string): Kind {
  const wanted = text.toLowerCase();
  const kinds = Object.entries(ALIASES) as [Kind, readonly string[]][];
  const found = kinds.find(
    ([kind, aliases]) => kind.toLowerCase() === wanted || aliases.includes(wanted),
  );
  if (found !== undefined) return found[0];
  const known = kinds.map(([kind]) => kind).join(", ");
  throw new WeftError("invalid", "cli.usage", `there is no kind ${text}; there are ${known}`);
}

/** Where a resource of a kind lies if nobody said: nowhere for a kind of the whole mesh. */
export function namespaceFor(kind: Kind, named: string | undefined): string {
  return MESH_WIDE.has(kind) ? "" : (named ?? "default");
}

/** All kinds with what else they are called, for `weft explain kinds`. */
export function allKinds(): readonly (readonly [Kind, readonly string[]])[] {
  return Object.entries(ALIASES) as [Kind, readonly string[]][];
}
