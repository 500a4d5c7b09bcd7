import type { Duration } from "@bufbuild/protobuf/wkt";
import { type Mesh, resourcesOf } from "@weft/core/mesh";
import {
  type MeshConfig,
  MeshConfig_OutboundTrafficPolicy_Mode as Mode,
} from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import { type DurationInit, ifPositive, seconds } from "./duration.ts";

/** What translation reads of MeshConfig, with Istio's defaults filled in. */
export interface MeshSettings {
  readonly config: MeshConfig | undefined;
  readonly rootNamespace: string;
  readonly httpProxyPort: number;
  readonly connectTimeout: Duration | DurationInit;
  readonly dnsRefreshRate: Duration | DurationInit;
  readonly outbound: "REGISTRY_ONLY" | "ALLOW_ANY";
  readonly autoMtls: boolean;
  /** The mesh's own trust domain first, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly virtualServiceExportTo: readonly string[];
  readonly destinationRuleExportTo: readonly string[];
}

/** Where sidecars' outbound HTTP proxy listens unless the mesh or the proxy says otherwise. */
const HTTP_PROXY_PORT = 15_001;

const CONNECT_TIMEOUT = seconds(10);
const DNS_REFRESH_RATE = seconds(60);

/** The settings of a mesh; of several MeshConfigs the oldest counts. */
export function meshSettings(mesh: Mesh): MeshSettings {
  const config = resourcesOf(mesh, "MeshConfig")[0]?.spec;
  const policy = config?.outboundTrafficPolicy;
  return {
    config,
    rootNamespace: config?.rootNamespace || "istio-system",
    httpProxyPort: config?.proxyHttpPort || HTTP_PROXY_PORT,
    connectTimeout: ifPositive(config?.connectTimeout) ?? CONNECT_TIMEOUT,
    dnsRefreshRate: ifPositive(config?.dnsRefreshRate) ?? DNS_REFRESH_RATE,
    outbound: policy?.mode === Mode.REGISTRY_ONLY ? "REGISTRY_ONLY" : "ALLOW_ANY",
    autoMtls: config?.enableAutoMtls ?? true,
    trustDomains: [mesh.trustDomain, ...(config?.trustDomainAliases ?? [])],
    virtualServiceExportTo: orEverywhere(config?.defaultVirtualServiceExportTo),
    destinationRuleExportTo: orEverywhere(config?.defaultDestinationRuleExportTo),
  };
}

function orEverywhere(exportTo: readonly string[] | undefined): readonly string[] {
  return exportTo === undefined || exportTo.length === 0 ? ["*"] : exportTo;
}
