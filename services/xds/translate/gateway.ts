import { create } from "@bufbuild/protobuf";
import { isPort, labelsMatch, type Resource, resourcesOf } from "@weft/core/mesh";
import { TrafficDirection } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import { type Listener, ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import type { RouteConfiguration } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import type { Server } from "@weft/proto/weft/mesh/v1/gateway_pb.ts";
import { addressOf, isIp, isLoopback } from "./address.ts";
import { gatewayVirtualHosts } from "./gateway-host.ts";
import { httpConnectionManager } from "./http-connection.ts";
import { dynamicHostFilter, pluginFilters, routeFilters, routerFilter } from "./http-filter.ts";
import { routeTable } from "./route-table.ts";
import type { Scope } from "./scope.ts";

/** A server of a Gateway that the proxy carries. */
export interface GatewayServer {
  readonly gateway: Resource<"Gateway">;
  readonly server: Server;
}

/** All servers that share an address and port: one listener, one route table. */
export interface GatewayPort {
  readonly bind: string;
  readonly port: number;
  /** Name of the listener, as Istio's tools know it: `0.0.0.0_8080` unless a server asks for more. */
  readonly name: string;
  /** Name of the route table: `http.8080`, with the address where a server asks for one. */
  readonly routes: string;
  readonly servers: readonly GatewayServer[];
}

const HTTP_PROTOCOLS = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"];

/** The listeners and route tables of a gateway proxy. */
export function gateway(scope: Scope): {
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteConfiguration[];
} {
  const ports = gatewayPorts(scope);
  return {
    listeners: ports.map((port) => gatewayListener(scope, port)),
    routes: ports.map((port) =>
      routeTable(port.routes, gatewayVirtualHosts(scope, port), { ignoresPort: true }),
    ),
  };
}

/** The plain HTTP ports of all Gateways that select the proxy, merged. */
function gatewayPorts(scope: Scope): readonly GatewayPort[] {
  const ports = new Map<string, GatewayPort & { readonly servers: GatewayServer[] }>();
  for (const resource of resourcesOf(scope.mesh, "Gateway")) {
    if (!labelsMatch(resource.spec.selector, scope.proxy.labels)) continue;
    for (const server of resource.spec.servers) {
      const port = server.port?.number ?? 0;
      const isServed = HTTP_PROTOCOLS.includes(server.port?.protocol.toUpperCase() ?? "");
      if (!isServed || !isPort(port) || (server.bind !== "" && !isIp(server.bind))) continue;
      const bind = server.bind || ownAddress(scope);
      const key = `${bind}_${port}`;
      const name = `${server.bind || "0.0.0.0"}_${port}`;
      const routes = server.bind === "" ? `http.${port}` : `http.${port}.${server.bind}`;
      const at = ports.get(key) ?? { bind, port, name, routes, servers: [] };
      ports.set(key, at);
      at.servers.push({ gateway: resource, server });
    }
  }
  return [...ports.values()];
}

/** Every address, except for a proxy that lives on loopback: it never listens wider than that. */
function ownAddress({ proxy }: Scope): string {
  return isLoopback(proxy.ip) ? proxy.ip : "0.0.0.0";
}

function gatewayListener(scope: Scope, { bind, port, name, routes }: GatewayPort): Listener {
  const filters = [
    ...pluginFilters(scope, "client", port),
    ...routeFilters,
    dynamicHostFilter(scope),
    routerFilter,
  ];
  return create(ListenerSchema, {
    name,
    address: addressOf(bind, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      {
        filters: [
          httpConnectionManager(scope, {
            statPrefix: `outbound_${name};`,
            routes,
            filters,
            caller: "outside",
          }),
        ],
      },
    ],
  });
}
