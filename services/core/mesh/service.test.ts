import { create } from "@bufbuild/protobuf";
import { ManifestSchema } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { MeshConfigSchema } from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import { ServiceEntrySchema } from "@weft/proto/weft/mesh/v1/service_entry_pb.ts";
import { WorkloadEntrySchema } from "@weft/proto/weft/mesh/v1/workload_entry_pb.ts";
import { expect, test } from "vitest";
import { emptyMesh, type Mesh } from "./mesh.ts";
import type { Kind, Resource, Spec } from "./resource.ts";
import {
  endpointPort,
  hostMatches,
  hostnamesOf,
  isVisible,
  servicesOf,
  visibleServices,
} from "./service.ts";

/** A mesh of resources written `namespace/name`; those further on are younger. */
function meshOf(...resources: readonly [Kind, string, Spec<Kind>][]): Mesh {
  const byKind: Record<string, Map<string, Resource>> = {};
  for (const [index, [kind, key, spec]] of resources.entries()) {
    const [namespace = "", name = ""] = key.split("/");
    const createdAt = index + 1;
    byKind[kind] ??= new Map();
    byKind[kind].set(key, {
      ...{ kind, namespace, name, spec, createdAt, changedAt: createdAt },
      ...{ labels: {}, annotations: {}, hash: new Uint8Array(32) },
      manifest: create(ManifestSchema),
    });
  }
  return { ...emptyMesh("test"), resources: byKind };
}

function reviews(namespace: string, exportTo: string[] = []): [Kind, string, Spec<Kind>] {
  const hosts = ["Reviews.default.svc.cluster.local"];
  return ["ServiceEntry", `${namespace}/reviews`, create(ServiceEntrySchema, { hosts, exportTo })];
}

test("a service has the inline endpoints and the selected workloads of its namespace", () => {
  const mesh = meshOf(
    [
      "ServiceEntry",
      "default/reviews",
      create(ServiceEntrySchema, {
        hosts: ["reviews.default.svc.cluster.local"],
        resolution: 1,
        location: 1,
        ports: [{ number: 80, name: "http-web", targetPort: 8080 }],
        endpoints: [{ address: "127.0.0.11", serviceAccount: "reviews" }],
        workloadSelector: { labels: { app: "reviews" } },
      }),
    ],
    [
      "WorkloadEntry",
      "default/one",
      create(WorkloadEntrySchema, {
        address: "127.0.0.12",
        labels: { app: "reviews", zone: "a" },
        ports: { "http-web": 9080 },
        locality: "eu/a",
        weight: 3,
      }),
    ],
    ["WorkloadEntry", "default/no", create(WorkloadEntrySchema, { labels: { app: "ratings" } })],
    ["WorkloadEntry", "other/no", create(WorkloadEntrySchema, { labels: { app: "reviews" } })],
  );
  const [service, ...rest] = servicesOf(mesh);
  expect(rest).toEqual([]);
  expect(service).toEqual({
    hostname: "reviews.default.svc.cluster.local",
    namespace: "default",
    name: "reviews",
    ports: [{ number: 80, name: "http-web", protocol: "HTTP", targetPort: 8080 }],
    addresses: [],
    resolution: "STATIC",
    location: "MESH_INTERNAL",
    exportTo: ["*"],
    subjectAltNames: [],
    workloadSelector: { app: "reviews" },
    endpoints: [
      {
        ...{ address: "127.0.0.11", ports: {}, labels: {}, locality: "", weight: 1, network: "" },
        ...{ serviceAccount: "reviews", tlsMode: "istio", workload: "", namespace: "default" },
      },
      {
        ...{ address: "127.0.0.12", ports: { "http-web": 9080 }, locality: "eu/a", weight: 3 },
        ...{ labels: { app: "reviews", zone: "a" }, network: "", serviceAccount: "" },
        ...{ tlsMode: "disabled", workload: "one", namespace: "default" },
      },
    ],
  });
  const at = service?.endpoints.map((each) => endpointPort(each, service.ports[0] ?? fail()));
  expect(at).toEqual([8080, 9080]);
});

function fail(): never {
  throw new Error("the service has no port");
}

test("the label says whether an endpoint takes mTLS, else its service account does", () => {
  const modes = [
    { serviceAccount: "reviews" },
    { serviceAccount: "" },
    { serviceAccount: "reviews", labels: { "security.istio.io/tlsMode": "disabled" } },
    { serviceAccount: "", labels: { "security.istio.io/tlsMode": "istio" } },
  ];
  const spec = create(ServiceEntrySchema, { hosts: ["a.b.c"], endpoints: modes });
  const [service] = servicesOf(meshOf(["ServiceEntry", "default/a", spec]));
  expect(service?.endpoints.map(({ tlsMode }) => tlsMode)).toEqual([
    "istio",
    "disabled",
    "disabled",
    "istio",
  ]);
});

test.each([
  ["HTTP", "x", "HTTP"],
  ["grpc-web", "x", "GRPC-WEB"],
  ["", "grpc-web-api", "GRPC-WEB"],
  ["", "grpc-api", "GRPC"],
  ["", "http2", "HTTP2"],
  ["", "mysql-main", "MYSQL"],
  ["", "web", "AUTO"],
  ["", "httpx", "AUTO"],
])("protocol %j at a port named %j is %s", (protocol, name, expected) => {
  const ports = [{ number: 80, name, protocol }];
  const spec = create(ServiceEntrySchema, { hosts: ["a.b.c"], ports });
  const [service] = servicesOf(meshOf(["ServiceEntry", "default/a", spec]));
  expect(service?.ports[0]?.protocol).toBe(expected);
});

test("of two declarations of a host the older one stands, but the own namespace comes first", () => {
  const mesh = meshOf(reviews("first"), reviews("second"), reviews("second"));
  const seenFrom = (namespace: string) =>
    [...visibleServices(mesh, namespace).values()].map((each) => each.namespace);
  expect(seenFrom("first")).toEqual(["first"]);
  expect(seenFrom("second")).toEqual(["second"]);
  expect(seenFrom("third")).toEqual(["first"]);
});

test("a service that is not exported is not seen", () => {
  const mesh = meshOf(reviews("first", ["."]), reviews("second", ["third", "~"]));
  const seenFrom = (namespace: string) =>
    [...visibleServices(mesh, namespace).values()].map((each) => each.namespace);
  expect(seenFrom("first")).toEqual(["first"]);
  expect(seenFrom("third")).toEqual(["second"]);
  expect(seenFrom("fourth")).toEqual([]);
});

test("what does not say where it is exported follows the mesh's default", () => {
  const config = create(MeshConfigSchema, { defaultServiceExportTo: ["."] });
  const mesh = meshOf(["MeshConfig", "/default", config], reviews("first"));
  expect(visibleServices(mesh, "second").size).toBe(0);
  expect(visibleServices(mesh, "first").size).toBe(1);
});

test("visibility is everywhere, the own namespace, or a named one", () => {
  const seen = [["*"], ["."], ["~"], ["b"], ["a"], []].map((to) => isVisible(to, "a", "b"));
  expect(seen).toEqual([true, false, false, true, false, false]);
  expect(isVisible(["."], "a", "a")).toBe(true);
});

test.each([
  ["reviews", ["reviews.ns.svc.cluster.local", "reviews"]],
  ["reviews.default", ["reviews.default", "reviews.default.svc.cluster.local"]],
  ["reviews.default.svc", ["reviews.default.svc.cluster.local", "reviews.default.svc"]],
  ["reviews.default.svc.cluster.local.", ["reviews.default.svc.cluster.local"]],
  ["API.example.com", ["api.example.com"]],
  ["*", ["*"]],
])("the host %s means %j", (host, names) => {
  expect(hostnamesOf(host, "ns")).toEqual(names);
});

test("a wildcard covers the names that end as it does", () => {
  expect(hostMatches("*.example.com", "a.b.example.com")).toBe(true);
  expect(hostMatches("*.example.com", "example.com")).toBe(false);
  expect(hostMatches("*", "example.com")).toBe(true);
  expect(hostMatches("example.com", "example.com")).toBe(true);
  expect(hostMatches("example.com", "a.example.com")).toBe(false);
});

test("the services of a mesh are worked out once", () => {
  const mesh = meshOf(reviews("first"));
  expect(servicesOf(mesh)).toBe(servicesOf(mesh));
});
