import {
  type Proxy as EnvoyProxy,
  type Mesh,
  type Service,
  visibleServices,
} from "@weft/core/mesh";
import { type DestinationRules, readDestinationRules } from "./destination-rule.ts";
import { type MeshSettings, meshSettings } from "./mesh-settings.ts";
import { type PeerPolicies, readPeerPolicies } from "./peer-authentication.ts";

/** The bytes of a plugin's module by its SHA-256 (lower-case hex), if they are at hand. */
export type PluginCode = (digest: string) => Uint8Array | undefined;

/** All that the translation for one proxy reads. */
export interface Scope {
  readonly mesh: Mesh;
  readonly proxy: EnvoyProxy;
  readonly plugins: PluginCode;
  readonly settings: MeshSettings;
  /** The services that the proxy sees, by hostname. */
  readonly services: ReadonlyMap<string, Service>;
  readonly destinationRules: DestinationRules;
  readonly peerPolicies: PeerPolicies;
}

export function createScope(mesh: Mesh, proxy: EnvoyProxy, plugins: PluginCode): Scope {
  const settings = meshSettings(mesh);
  const services = visibleServices(mesh, proxy.namespace);
  return {
    mesh,
    proxy,
    plugins,
    settings,
    services,
    destinationRules: readDestinationRules({ mesh, proxy, settings, services }),
    peerPolicies: readPeerPolicies(mesh, settings.rootNamespace),
  };
}
