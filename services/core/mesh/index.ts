// The mesh: what its resources mean and how commits change it. Pure: no I/O, clock or randomness.

export {
  AUTHORITY_SCHEMA,
  type Authority,
  type AuthorityDecision,
  authorityChange,
  CONTROL_PLANE,
  type CreateToken,
  decideCreateToken,
  decideUseToken,
  emptyAuthority,
  evolveAuthority,
  isControlPlane,
  isSpiffeSegment,
  type JoinToken,
  TOKEN_TTL_DEFAULT_MS,
  TOKEN_TTL_MAX_MS,
  TOKENS_MAX,
  type TokenUse,
  type TrustRoot,
  type UseToken,
  type Workload,
} from "./authority.ts";
export { type CommandOutcome, emptyMesh, findResource, type Mesh, resourcesOf } from "./mesh.ts";
export type { InboundPort, Proxy } from "./proxy.ts";
export { isKind, type Kind, type Resource, resourceKey, SPECS, type Spec } from "./resource.ts";
export {
  type Endpoint,
  endpointPort,
  hostMatches,
  hostnamesOf,
  isVisible,
  labelsMatch,
  type Protocol,
  type Resolution,
  type Service,
  type ServicePort,
  servicesOf,
  visibleServices,
} from "./service.ts";
