import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { DestinationRuleSchema } from "@weft/proto/weft/mesh/v1/destination_rule_pb.ts";
import { GatewaySchema } from "@weft/proto/weft/mesh/v1/gateway_pb.ts";
import type { Manifest, ResourceRef } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { MeshConfigSchema } from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import { PeerAuthenticationSchema } from "@weft/proto/weft/mesh/v1/peer_authentication_pb.ts";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import { ServiceEntrySchema } from "@weft/proto/weft/mesh/v1/service_entry_pb.ts";
import { VirtualServiceSchema } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { WasmPluginSchema } from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import { WorkloadEntrySchema } from "@weft/proto/weft/mesh/v1/workload_entry_pb.ts";

/** The message of each kind's spec. */
export const SPECS = {
  DestinationRule: DestinationRuleSchema,
  Gateway: GatewaySchema,
  MeshConfig: MeshConfigSchema,
  PeerAuthentication: PeerAuthenticationSchema,
  Plugin: PluginSchema,
  ServiceEntry: ServiceEntrySchema,
  VirtualService: VirtualServiceSchema,
  WasmPlugin: WasmPluginSchema,
  WorkloadEntry: WorkloadEntrySchema,
} as const satisfies Record<string, DescMessage>;

/** A kind of resource that a mesh holds. */
export type Kind = keyof typeof SPECS;

export type Spec<K extends Kind> = MessageShape<(typeof SPECS)[K]>;

/** One resource of a mesh, as of its last change. */
export interface Resource<K extends Kind = Kind> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Spec<K>;
  /** As stored: the only bytes that are ever hashed. */
  readonly manifest: Manifest;
  /** SHA-256 of the stored spec, 32 bytes. */
  readonly hash: Uint8Array;
  /** Revision of the commit that created it: the older one wins a conflict, as in Istio. */
  readonly createdAt: number;
  /** Revision of the commit that changed it last. */
  readonly changedAt: number;
}

export function isKind(kind: string): kind is Kind {
  return Object.hasOwn(SPECS, kind);
}

/** Unique in a mesh: `VirtualService/default/reviews`. */
export function resourceKey({
  kind,
  namespace,
  name,
}: Pick<ResourceRef, "kind" | "namespace" | "name">): string {
  return `${kind}/${namespace}/${name}`;
}
