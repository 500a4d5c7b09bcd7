import { create } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { TrafficDirection } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import { type Listener, ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import type { RouteConfiguration } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { addressOf, inHostHeader, isLoopback } from "./address.ts";
import { blackHoleCluster, passthroughCluster } from "./cluster.ts";
import { connectionLimits } from "./connection-pool.ts";
import { dynamicDiscovery } from "./dns.ts";
import { httpConnectionManager } from "./http-connection.ts";
import { dynamicHostFilter, pluginFilters, routeFilters, routerFilter } from "./http-filter.ts";
import { DYNAMIC_DNS_CLUSTER, HTTP_PROXY } from "./name.ts";
import { routeTable } from "./route-table.ts";
import type { Scope } from "./scope.ts";
import { createShared, viewKey } from "./shared.ts";
import { catchAllHosts, outboundVirtualHosts } from "./virtual-host.ts";

/** Where the outbound HTTP proxy listens: for the application beside it and nobody else. */
export function httpProxyAddress({ proxy, settings }: Scope): {
  readonly host: string;
  readonly port: number;
} {
  return {
    host: isLoopback(proxy.ip) ? proxy.ip : "127.0.0.1",
    port: proxy.httpProxyPort ?? settings.httpProxyPort,
  };
}

/** The HTTP proxy that the application sends its requests to (`http_proxy`). */
export function httpProxyListener(scope: Scope): Listener {
  const { host, port } = httpProxyAddress(scope);
  const filters = [
    ...pluginFilters(scope, "client"),
    ...routeFilters,
    dynamicHostFilter(scope),
    routerFilter,
  ];
  const statPrefix = `outbound_${host}_${port};`;
  return create(ListenerSchema, {
    name: HTTP_PROXY,
    address: addressOf(host, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      {
        filters: [
          httpConnectionManager(scope, {
            statPrefix,
            routes: HTTP_PROXY,
            filters,
            caller: "application",
          }),
        ],
      },
    ],
  });
}

const shared = createShared<RouteConfiguration>();

/** Where each request of the HTTP proxy goes, by its host. */
export function httpProxyRoutes(scope: Scope): RouteConfiguration {
  const { host, port } = httpProxyAddress(scope);
  const own = [`${inHostHeader(host)}:${port}`, `localhost:${port}`];
  return shared(scope.mesh, `${own[0]} ${viewKey(scope)}`, () =>
    routeTable(HTTP_PROXY, [...outboundVirtualHosts(scope), ...catchAllHosts(scope, own)]),
  );
}

/** The clusters that belong to no service. */
export function catchAllClusters(scope: Scope): Cluster[] {
  const dynamic = create(ClusterSchema, {
    name: DYNAMIC_DNS_CLUSTER,
    ...connectionLimits(undefined, scope.settings),
    ...dynamicDiscovery(scope),
  });
  return [blackHoleCluster(scope), passthroughCluster(scope), dynamic];
}
