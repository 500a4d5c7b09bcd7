// From the mesh to what one Envoy should have. Pure: the same mesh, proxy and code give the same
// resources on every replica.

import type { Proxy as EnvoyProxy, Mesh } from "@weft/core/mesh";
import { blackHoleCluster, outboundClusters } from "./cluster.ts";
import { extensionOf } from "./extension.ts";
import { gateway } from "./gateway.ts";
import { inbound } from "./inbound.ts";
import { catchAllClusters, httpProxyListener, httpProxyRoutes } from "./outbound.ts";
import type { Resources } from "./resources.ts";
import { createScope, type PluginCode, type Scope } from "./scope.ts";
import { wasmPlugins } from "./wasm-plugin.ts";

export { encode, pack, TYPE_URL_PREFIX, typeUrlOf } from "./encode.ts";
export { type ResourcesJson, toJson } from "./json.ts";
export type { Resources } from "./resources.ts";
export type { PluginCode } from "./scope.ts";

/**
 * What `proxy` should have of `mesh`: a sidecar its outbound HTTP proxy and a listener for each of
 * its own ports, a router the ports of the Gateways that select it; both the clusters and endpoints
 * of all services they see, and their plugins. `plugins` gives the code of published modules.
 */
export function translate(mesh: Mesh, proxy: EnvoyProxy, plugins: PluginCode): Resources {
  const scope = createScope(mesh, proxy, plugins);
  const { clusters, endpoints } = outboundClusters(scope);
  const { listeners, routes, own } = ROLES[proxy.type](scope);
  return {
    listeners: byName(listeners, ({ name }) => name),
    routes: byName(routes, ({ name }) => name),
    clusters: byName([...clusters, ...own], ({ name }) => name),
    endpoints: byName(endpoints, ({ clusterName }) => clusterName),
    extensions: byName(
      wasmPlugins(scope).map((plugin) => extensionOf(scope, plugin)),
      ({ name }) => name,
    ),
  };
}

type Own = Pick<Resources, "listeners" | "routes"> & { readonly own: Resources["clusters"] };

const ROLES: Readonly<Record<EnvoyProxy["type"], (scope: Scope) => Own>> = {
  sidecar(scope) {
    const { listeners, clusters } = inbound(scope);
    return {
      listeners: [httpProxyListener(scope), ...listeners],
      routes: [httpProxyRoutes(scope)],
      own: [...catchAllClusters(scope), ...clusters],
    };
  },
  router(scope) {
    return { ...gateway(scope), own: [blackHoleCluster(scope)] };
  },
};

function byName<T>(resources: readonly T[], nameOf: (resource: T) => string): readonly T[] {
  return [...resources].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
