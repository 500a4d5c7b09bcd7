import { createHash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { assert } from "@weft/core/error";
import type { Proxy as EnvoyProxy, Mesh } from "@weft/core/mesh";
import type { Snapshot, SnapshotResource } from "@weft/core/stream";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { HttpConnectionManagerSchema } from "@weft/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import {
  type PluginCode,
  pack,
  type Resources,
  translate,
  typeUrlOf,
} from "./translate/translate.ts";

/** How much of the SHA-256 makes a version: 64 bits tell a proxy's versions of one name apart. */
const VERSION_BYTES = 8;

/** What a proxy should have of a mesh, encoded. The same on every replica. */
export function compileSnapshot(mesh: Mesh, proxy: EnvoyProxy, plugins: PluginCode): Snapshot {
  return snapshotOf(translate(mesh, proxy, plugins));
}

/**
 * Encodes each resource once. All types are there, those without resources too, so that a proxy is
 * told when the last one goes. Asserts that nothing points at what is not in the snapshot.
 */
export function snapshotOf(resources: Resources): Snapshot {
  assertConsistent(resources);
  const { listeners, routes, clusters, endpoints, extensions } = resources;
  return new Map([
    entry(ClusterSchema, clusters, ({ name }) => name),
    entry(ClusterLoadAssignmentSchema, endpoints, ({ clusterName }) => clusterName),
    entry(TypedExtensionConfigSchema, extensions, ({ name }) => name),
    entry(ListenerSchema, listeners, ({ name }) => name),
    entry(RouteConfigurationSchema, routes, ({ name }) => name),
  ]);
}

/** Names under which resources ask for others, so that a proxy never waits for what never comes. */
function assertConsistent({ listeners, routes, clusters, endpoints, extensions }: Resources): void {
  const assigned = clusters.flatMap((cluster) => {
    const { case: how, value } = cluster.clusterDiscoveryType;
    if (how !== "type" || value !== Cluster_DiscoveryType.EDS) return [];
    return [cluster.edsClusterConfig?.serviceName || cluster.name];
  });
  assertSame(
    "endpoints",
    assigned,
    endpoints.map(({ clusterName }) => clusterName),
  );
  const managers = listeners
    .flatMap(({ filterChains }) => filterChains.flatMap(({ filters }) => filters))
    .flatMap(({ configType }) => {
      if (configType.case !== "typedConfig") return [];
      return anyUnpack(configType.value, HttpConnectionManagerSchema) ?? [];
    });
  const tables = managers.flatMap(({ routeSpecifier }) =>
    routeSpecifier.case === "rds" ? [routeSpecifier.value.routeConfigName] : [],
  );
  assertSame(
    "routes",
    tables,
    routes.map(({ name }) => name),
  );
  const known = new Set(extensions.map(({ name }) => name));
  for (const { name, configType } of managers.flatMap(({ httpFilters }) => httpFilters)) {
    assert(configType.case !== "configDiscovery" || known.has(name), `no extension ${name}`);
  }
}

function assertSame(what: string, asked: readonly string[], given: readonly string[]): void {
  const [wanted, present] = [new Set(asked), new Set(given)];
  assert(present.size === given.length, `${what} of one name twice`);
  for (const name of wanted) assert(present.has(name), `no ${what} ${name}`);
  for (const name of present) assert(wanted.has(name), `nothing asks for ${what} ${name}`);
}

function entry<D extends DescMessage>(
  schema: D,
  messages: readonly MessageShape<D>[],
  nameOf: (message: MessageShape<D>) => string,
): [string, ReadonlyMap<string, SnapshotResource>] {
  const resources = new Map<string, SnapshotResource>();
  for (const message of messages) {
    const name = nameOf(message);
    assert(!resources.has(name), `two ${schema.typeName} named ${name}`);
    resources.set(name, encoded(schema, message, name));
  }
  return [typeUrlOf(schema), resources];
}

/** What was encoded before, by message: translation shares messages between proxies. */
const known = new WeakMap<object, SnapshotResource>();

function encoded<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  name: string,
): SnapshotResource {
  const before = known.get(message);
  if (before !== undefined) return before;
  const body = toBinary(AnySchema, pack(schema, message));
  const resource = { name, version: versionOf(body), body };
  known.set(message, resource);
  return resource;
}

function versionOf(body: Uint8Array): string {
  const digest = createHash("sha256").update(body).digest();
  return digest.subarray(0, VERSION_BYTES).toString("base64url");
}
