import { labelsMatch, type Resource, resourcesOf } from "@weft/core/mesh";
import {
  WasmPlugin_TrafficSelector_WorkloadMode as Mode,
  WasmPlugin_PluginPhase as Phase,
  WasmPlugin_PluginType as PluginType,
  type WasmPlugin,
} from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import type { Scope } from "./scope.ts";

/** Which side of the workload a listener serves. A gateway is always a client. */
export type TrafficSide = "client" | "server";

type WasmPluginResource = Resource<"WasmPlugin">;

/** Before authentication, before authorization, before statistics, and last those that do not say. */
const PHASE_ORDER: readonly Phase[] = [
  Phase.AUTHN,
  Phase.AUTHZ,
  Phase.STATS,
  Phase.UNSPECIFIED_PHASE,
];

/** Those without a priority come after those with one. */
const PRIORITY_LOWEST = -(2 ** 31);

/** The HTTP plugins of a proxy, in the order in which a request passes them. */
export function wasmPlugins(scope: Scope): readonly WasmPluginResource[] {
  return resourcesOf(scope.mesh, "WasmPlugin")
    .filter((plugin) => selects(scope, plugin))
    .sort((a, b) => phaseOf(a) - phaseOf(b) || priorityOf(b) - priorityOf(a));
}

/** The name of a plugin's filter and of the resource that configures it. */
export function extensionName({ namespace, name }: WasmPluginResource): string {
  return `extensions.istio.io/wasmplugin/${namespace}.${name}`;
}

/** Whether a plugin looks at the traffic of a side, at a port if one is given. */
export function concernsTraffic(spec: WasmPlugin, side: TrafficSide, port?: number): boolean {
  if (spec.match.length === 0) return true;
  return spec.match.some(({ mode, ports }) => {
    if (mode === Mode.CLIENT && side !== "client") return false;
    if (mode === Mode.SERVER && side !== "server") return false;
    if (port === undefined || ports.length === 0) return true;
    return ports.some(({ number }) => number === port);
  });
}

function selects({ proxy, settings }: Scope, { namespace, spec }: WasmPluginResource): boolean {
  // What is attached to a resource by reference is not for every workload of the namespace.
  if (spec.targetRef !== undefined || spec.targetRefs.length > 0) return false;
  if (spec.type === PluginType.NETWORK) return false;
  if (namespace !== proxy.namespace && namespace !== settings.rootNamespace) return false;
  return labelsMatch(spec.selector?.matchLabels ?? {}, proxy.labels);
}

function phaseOf({ spec }: WasmPluginResource): number {
  return PHASE_ORDER.indexOf(spec.phase);
}

function priorityOf({ spec }: WasmPluginResource): number {
  return spec.priority ?? PRIORITY_LOWEST;
}
