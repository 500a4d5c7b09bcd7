import type { Kind } from "./resource.ts";

/** How a kind is written: its API group, and the versions that are read. The first is shown. */
export interface KindForm {
  readonly group: string;
  readonly versions: readonly string[];
  /** A mesh has these by name alone: they belong to no namespace. */
  readonly meshWide: boolean;
}

const networking = {
  group: "networking.istio.io",
  versions: ["v1", "v1beta1", "v1alpha3"],
  meshWide: false,
} as const;

/** All versions of a kind share one schema. */
export const KIND_FORMS: { readonly [K in Kind]: KindForm } = {
  DestinationRule: networking,
  Gateway: networking,
  MeshConfig: { group: "mesh.istio.io", versions: ["v1alpha1"], meshWide: true },
  PeerAuthentication: {
    group: "security.istio.io",
    versions: ["v1", "v1beta1"],
    meshWide: false,
  },
  Plugin: { group: "weft.dev", versions: ["v1"], meshWide: true },
  ServiceEntry: networking,
  VirtualService: networking,
  WasmPlugin: { group: "extensions.istio.io", versions: ["v1alpha1"], meshWide: false },
  WorkloadEntry: networking,
};

/** The name that the resources of a mesh have where there is one of a kind. */
export const MESH_CONFIG_NAME = "default";

/** `networking.istio.io/v1`: what a resource of the kind is shown as. */
export function apiVersionOf(kind: Kind): string {
  const { group, versions } = KIND_FORMS[kind];
  return `${group}/${versions[0]}`;
}

/** Istio's kinds that a mesh does not hold yet. */
export const LATER_KINDS: ReadonlySet<string> = new Set([
  "AuthorizationPolicy",
  "EnvoyFilter",
  "MeshNetworks",
  "ProxyConfig",
  "RequestAuthentication",
  "Sidecar",
  "Telemetry",
  "TrafficExtension",
  "WorkloadGroup",
]);

/** Kubernetes' own groups that have no dot; all others of it end in `.k8s.io`. */
const PLATFORM_GROUPS: ReadonlySet<string> = new Set([
  "",
  "apps",
  "autoscaling",
  "batch",
  "extensions",
  "policy",
]);

export function isPlatformGroup(group: string): boolean {
  return PLATFORM_GROUPS.has(group) || group.endsWith(".k8s.io");
}

export function isGatewayApiGroup(group: string): boolean {
  return group === "gateway.networking.k8s.io" || group === "gateway.networking.x-k8s.io";
}

/** `networking.istio.io/v1` as group and version; a version alone is of the group "". */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.lastIndexOf("/");
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1) };
}
