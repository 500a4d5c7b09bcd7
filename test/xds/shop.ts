import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack, type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { HeaderMutationSchema } from "@weft/proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.ts";
import { ApiVersion } from "@weft/proto/envoy/config/core/v3/config_source_pb.ts";
import { TypedExtensionConfigSchema } from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { HeaderMutationSchema as FilterSchema } from "@weft/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.ts";
import { RouterSchema } from "@weft/proto/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { resource } from "./server.ts";

const adsSource = {
  configSourceSpecifier: { case: "ads", value: {} },
  resourceApiVersion: ApiVersion.V3,
} as const;

const address = (portValue: number) =>
  ({
    address: {
      case: "socketAddress",
      value: {
        address: "127.0.0.1",
        portSpecifier: { case: "portValue", value: portValue },
      },
    },
  }) as const;

/** A cluster of EDS. Another connect timeout makes another version of it. */
export function cluster(name: string, connectSeconds = 1) {
  return resource(ClusterSchema, name, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: adsSource },
    connectTimeout: seconds(connectSeconds),
  });
}

export function assignment(name: string, port: number) {
  const endpoint = { case: "endpoint", value: { address: address(port) } } as const;
  return resource(ClusterLoadAssignmentSchema, name, {
    clusterName: name,
    endpoints: [{ lbEndpoints: [{ hostIdentifier: endpoint }] }],
  });
}

/** A listener on a free port with a route table `routes` and a plugin slot `plug`. */
export function listener(name: string, typeUrls: readonly string[] = [FILTER_URL]) {
  const manager = anyPack(
    HttpConnectionManagerSchema,
    create(HttpConnectionManagerSchema, {
      statPrefix: name,
      routeSpecifier: {
        case: "rds",
        value: { configSource: adsSource, routeConfigName: "routes" },
      },
      httpFilters: [
        {
          name: "plug",
          configType: {
            case: "configDiscovery",
            value: { configSource: adsSource, typeUrls: [...typeUrls] },
          },
        },
        { name: "router", configType: typed(anyPack(RouterSchema, create(RouterSchema))) },
      ],
    }),
  );
  return resource(ListenerSchema, name, {
    name,
    address: address(0),
    filterChains: [{ filters: [{ name: "hcm", configType: typed(manager) }] }],
  });
}

/** All requests to one cluster, with a header that tells of the table. */
export function routes(toCluster: string, mark = toCluster) {
  return resource(RouteConfigurationSchema, "routes", {
    name: "routes",
    virtualHosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: {
              case: "route",
              value: { clusterSpecifier: { case: "cluster", value: toCluster } },
            },
            responseHeadersToAdd: [{ header: { key: "x-table", value: mark } }],
          },
        ],
      },
    ],
  });
}

/** The plugin in the slot: puts a header on responses. */
export function plugin(mark: string) {
  const mutation = create(HeaderMutationSchema, {
    action: { case: "append", value: { header: { key: "x-plugin", value: mark } } },
  });
  const filter = create(FilterSchema, { mutations: { responseMutations: [mutation] } });
  return resource(TypedExtensionConfigSchema, "plug", {
    name: "plug",
    typedConfig: anyPack(FilterSchema, filter),
  });
}

const FILTER_URL = `type.googleapis.com/${FilterSchema.typeName}`;

/** An application that answers with its name. */
export async function startApp(name: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((_, response) => void response.end(name));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function typed(value: Any) {
  return { case: "typedConfig", value } as const;
}

function seconds(value: number): Duration {
  return create(DurationSchema, { seconds: BigInt(value) });
}
