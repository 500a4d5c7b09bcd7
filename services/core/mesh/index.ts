// The mesh: what its resources mean and how commits change it. Pure: no I/O, clock or randomness.

export { applyManifests } from "./apply.ts";
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
export { checkBreakage } from "./breakage.ts";
export {
  type ChangeDraft,
  draftDelete,
  draftPut,
  type Hash,
  previewMesh,
  saysTheSame,
  sealChanges,
} from "./change.ts";
export { checkMesh } from "./check.ts";
export { diffMeshes, type ResourceChange } from "./diff.ts";
export { encodeSpec } from "./encode.ts";
export { evolve } from "./evolve.ts";
export { type FieldPlace, isError, type Place, type Places } from "./finding.ts";
export { apiVersionOf, KIND_FORMS, LATER_KINDS, MESH_CONFIG_NAME } from "./kinds.ts";
export {
  type ManifestText,
  manifestOf,
  type ReadManifest,
  type ReadResult,
  readManifests,
  subjectOf,
} from "./manifest.ts";
export { type CommandOutcome, emptyMesh, findResource, type Mesh, resourcesOf } from "./mesh.ts";
export { isPort } from "./names.ts";
export type { InboundPort, Proxy } from "./proxy.ts";
export { deleteResources, type Ref, unknownResource } from "./remove.ts";
export { isKind, type Kind, type Resource, resourceKey, SPECS, type Spec } from "./resource.ts";
export { type Committed, restoreMesh, revertCommit } from "./rollback.ts";
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
export { TRANSLATED } from "./translated.ts";
export { untranslated } from "./untranslated.ts";
export { fromManifestJson, toManifestJson, type Viewed } from "./view.ts";
