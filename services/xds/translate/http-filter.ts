import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema as RouteFilterSchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import { CorsSchema } from "@weft/proto/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { FilterConfigSchema as DynamicHostSchema } from "@weft/proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.ts";
import { HTTPFaultSchema } from "@weft/proto/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import { RBACSchema } from "@weft/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts";
import { RouterSchema } from "@weft/proto/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { WasmSchema } from "@weft/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import type { HttpFilterSchema } from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { WasmPlugin_FailStrategy as FailStrategy } from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import { fromControlPlane } from "./config-source.ts";
import { CORS_FILTER } from "./cors.ts";
import { dnsCache } from "./dns.ts";
import { seconds } from "./duration.ts";
import { pack, typeUrlOf } from "./encode.ts";
import { FAULT_FILTER } from "./fault.ts";
import type { Init } from "./init.ts";
import type { Scope } from "./scope.ts";
import { concernsTraffic, extensionName, type TrafficSide, wasmPlugins } from "./wasm-plugin.ts";

export type HttpFilterInit = Init<typeof HttpFilterSchema>;

/** Plugins on one side of the proxy, at one port if it is given. */
export function pluginFilters(scope: Scope, side: TrafficSide, port?: number): HttpFilterInit[] {
  return wasmPlugins(scope)
    .filter(({ spec }) => concernsTraffic(spec, side, port))
    .map(
      (plugin): HttpFilterInit => ({
        name: extensionName(plugin),
        configType: {
          case: "configDiscovery",
          value: {
            // The listener waits for the configuration: without it every request would get 500.
            configSource: { ...fromControlPlane, initialFetchTimeout: seconds(0) },
            typeUrls: [typeUrlOf(WasmSchema), typeUrlOf(RBACSchema)],
            // Envoy's failure policy is about requests, not about a plugin that does not even start.
            ...(plugin.spec.failStrategy === FailStrategy.FAIL_OPEN && {
              defaultConfig: pack(RBACSchema, {}),
            }),
          },
        },
      }),
    );
}

/**
 * Turns those client-side plugins off for the requests to one port that look at other ports only:
 * all ports share one listener, and with it one chain of filters.
 */
export function pluginsOffAt(scope: Scope, port: number): Record<string, Any> {
  const off = wasmPlugins(scope).filter(
    ({ spec }) => concernsTraffic(spec, "client") && !concernsTraffic(spec, "client", port),
  );
  return Object.fromEntries(
    off.map((plugin) => [extensionName(plugin), pack(RouteFilterSchema, { disabled: true })]),
  );
}

/** What routes configure by themselves. Always there, so that no route change touches a listener. */
export const routeFilters: readonly HttpFilterInit[] = [
  filter(FAULT_FILTER, HTTPFaultSchema, {}),
  filter(CORS_FILTER, CorsSchema, {}),
];

/** Resolves the host of requests to dynamic clusters; leaves all others alone. */
export function dynamicHostFilter(scope: Scope): HttpFilterInit {
  return filter("envoy.filters.http.dynamic_forward_proxy", DynamicHostSchema, {
    implementationSpecifier: { case: "dnsCacheConfig", value: dnsCache(scope) },
  });
}

export const routerFilter: HttpFilterInit = filter("envoy.filters.http.router", RouterSchema, {});

function filter<D extends DescMessage>(name: string, schema: D, init: Init<D>): HttpFilterInit {
  return { name, configType: { case: "typedConfig", value: pack(schema, init) } };
}
