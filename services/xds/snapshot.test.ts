import { createHash } from "node:crypto";
import { create, fromBinary } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { assert } from "@weft/core/error";
import {
  applyManifests,
  type ChangeDraft,
  type Proxy as EnvoyProxy,
  emptyMesh,
  type Mesh,
  manifestOf,
  previewMesh,
  readManifests,
} from "@weft/core/mesh";
import type { Snapshot } from "@weft/core/stream";
import { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "@weft/proto/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "@weft/proto/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "@weft/proto/envoy/config/route/v3/route_pb.ts";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import { expect, test } from "vitest";
import { compileSnapshot, snapshotOf } from "./snapshot.ts";
import { translate, typeUrlOf } from "./translate/translate.ts";

const proxy: EnvoyProxy = {
  id: "sidecar~127.0.0.2~productpage.default~default.svc.cluster.local",
  type: "sidecar",
  ip: "127.0.0.2",
  namespace: "default",
  labels: { app: "productpage" },
  serviceAccount: "productpage",
};

const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: productpage}
spec:
  hosts: [productpage.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http}]
  endpoints: [{address: 127.0.0.2, serviceAccount: productpage}]
`;

const route = (cluster: string): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: productpage}
spec:
  hosts: [productpage]
  http:
    - fault: {abort: {httpStatus: 503, percentage: {value: 10}}}
      route: [{destination: {host: productpage, subset: ${cluster}}}]
`;

const plugin = (config: string): string => `---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: stamp}
spec: {url: "weft://header-stamp", pluginConfig: {header: ${config}}}
`;

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

function meshOf(text: string, code?: Uint8Array): Mesh {
  const { manifests } = readManifests([{ path: "mesh.yaml", text }], { namespace: "default" });
  const empty = emptyMesh("test");
  const drafts = [...applyManifests(empty, manifests), ...(code ? [published(code)] : [])];
  return previewMesh(empty, drafts, sha256);
}

function published(code: Uint8Array): ChangeDraft {
  const head = { namespace: "", name: "header-stamp", labels: {}, annotations: {} };
  const spec = create(PluginSchema, { digest: Buffer.from(sha256(code)).toString("hex") });
  const put = manifestOf("Plugin", head, { spec });
  assert(put.ref !== undefined, "a manifest has a reference");
  return { operation: "create", ref: put.ref, put };
}

const snapshotFor = (text: string, code?: Uint8Array): Snapshot =>
  compileSnapshot(meshOf(text, code), proxy, () => code);

/** The short type names and names of what differs between two snapshots. */
function changes(before: Snapshot, after: Snapshot): string[] {
  return [...after].flatMap(([url, resources]) => {
    const old = before.get(url);
    const names = new Set([...resources.keys(), ...(old?.keys() ?? [])]);
    const changed = [...names].filter(
      (name) => resources.get(name)?.version !== old?.get(name)?.version,
    );
    return changed.map((name) => `${url.split(".").at(-1)} ${name}`);
  });
}

test("a snapshot has every type, and each resource as an Any under its content hash", () => {
  const snapshot = snapshotFor(service);
  expect([...snapshot.keys()]).toEqual(
    [
      ClusterSchema,
      ClusterLoadAssignmentSchema,
      TypedExtensionConfigSchema,
      ListenerSchema,
      RouteConfigurationSchema,
    ].map(typeUrlOf),
  );
  const name = "outbound|9080||productpage.default.svc.cluster.local";
  const found = snapshot.get(typeUrlOf(ClusterLoadAssignmentSchema))?.get(name);
  assert(found !== undefined, "the service has its endpoints");
  const digest = createHash("sha256").update(found.body).digest();
  expect(found.version).toBe(digest.subarray(0, 8).toString("base64url"));
  expect(found.version).toHaveLength(11);
  const unpacked = anyUnpack(fromBinary(AnySchema, found.body), ClusterLoadAssignmentSchema);
  const [wanted] = translate(meshOf(service), proxy, () => undefined).endpoints;
  expect(unpacked).toEqual(wanted);
});

test("a changed route changes the route table and nothing else", () => {
  const before = snapshotFor(service + route("v1"));
  expect(changes(before, snapshotFor(service + route("v2")))).toEqual([
    "RouteConfiguration http_proxy",
  ]);
});

test("an endpoint of the same account changes its cluster's endpoints and nothing else", () => {
  const more = service.replace(
    "endpoints: [",
    "endpoints: [{address: 127.0.0.3, serviceAccount: productpage}, ",
  );
  expect(changes(snapshotFor(service), snapshotFor(more))).toEqual([
    "ClusterLoadAssignment outbound|9080||productpage.default.svc.cluster.local",
  ]);
});

test("a new version or configuration of a plugin changes its own resource and nothing else", () => {
  const [one, two] = [new Uint8Array([1]), new Uint8Array([2])];
  const before = snapshotFor(service + plugin("a"), one);
  const own = ["TypedExtensionConfig extensions.istio.io/wasmplugin/default.stamp"];
  expect(changes(before, snapshotFor(service + plugin("a"), two))).toEqual(own);
  expect(changes(before, snapshotFor(service + plugin("b"), one))).toEqual(own);
  // Code that is not at hand is replaced, never left out: the listener would wait for ever.
  const without = compileSnapshot(meshOf(service + plugin("a"), one), proxy, () => undefined);
  expect(changes(before, without)).toEqual(own);
});

test("what points at something that is not there is a bug", () => {
  const whole = translate(meshOf(service + plugin("a")), proxy, () => undefined);
  expect(() => snapshotOf({ ...whole, endpoints: [] })).toThrow(
    "bug: no endpoints outbound|9080||productpage.default.svc.cluster.local",
  );
  expect(() => snapshotOf({ ...whole, clusters: [] })).toThrow("bug: nothing asks for endpoints");
  expect(() => snapshotOf({ ...whole, routes: [] })).toThrow("bug: no routes http_proxy");
  expect(() => snapshotOf({ ...whole, extensions: [] })).toThrow(
    "bug: no extension extensions.istio.io/wasmplugin/default.stamp",
  );
  const twice = [...whole.clusters, ...whole.clusters];
  expect(() => snapshotOf({ ...whole, clusters: twice })).toThrow("named");
});
