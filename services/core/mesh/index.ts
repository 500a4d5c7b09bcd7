// The mesh: what its resources mean and how commits change it. Pure: no I/O, clock or randomness.

export { type CommandOutcome, emptyMesh, findResource, type Mesh, resourcesOf } from "./mesh.ts";
export type { InboundPort, Proxy } from "./proxy.ts";
export { isKind, type Kind, type Resource, resourceKey, SPECS, type Spec } from "./resource.ts";
