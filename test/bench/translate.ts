// Prints what it costs to compile a mesh for a proxy: from YAML to a mesh, and from there to the
// encoded resources of the first proxy of a revision and of the ones after it.
//
//   node test/bench/translate.ts [services] [endpoints of each]

import { createHash } from "node:crypto";
import {
  applyManifests,
  type Proxy as EnvoyProxy,
  emptyMesh,
  type Mesh,
  previewMesh,
  readManifests,
} from "@weft/core/mesh";
import { compileSnapshot } from "../../services/xds/snapshot.ts";

const services = Number(process.argv[2] ?? 1_000);
const endpoints = Number(process.argv[3] ?? 10);

/** Texts are bounded, so a mesh of this size is applied in several. */
const SERVICES_PER_DOCUMENT = 100;

const hash = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

function measure<T>(what: string, run: () => T): T {
  const before = performance.now();
  const result = run();
  console.log(`${what.padEnd(58)} ${(performance.now() - before).toFixed(1).padStart(9)} ms`);
  return result;
}

function apply(mesh: Mesh, text: string): Mesh {
  const { manifests } = readManifests([{ path: "bench.yaml", text }], { namespace: "default" });
  return previewMesh(mesh, applyManifests(mesh, manifests), hash);
}

/** A service with its endpoints, and a route with retries for it. */
function serviceYaml(index: number, attempts = 2): string {
  const addresses = Array.from({ length: endpoints }, (_, at) => {
    return `    - address: 198.18.${(index >> 4) & 255}.${((index & 15) * endpoints + at) & 255}`;
  });
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: s${index} }
spec:
  hosts: [s${index}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints:
${addresses.join("\n")}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: s${index} }
spec:
  hosts: [s${index}]
  http:
    - retries: { attempts: ${attempts} }
      route: [{ destination: { host: s${index} } }]
`;
}

function proxy(index: number, namespace = "default"): EnvoyProxy {
  const ip = `127.0.9.${index}`;
  return { id: `p${index}`, type: "sidecar", ip, namespace, labels: {}, serviceAccount: "bench" };
}

console.log(`${services} services with ${endpoints} endpoints and a route each`);
const mesh = measure("read, check and fold the YAML", () => {
  let state = emptyMesh("bench");
  for (let from = 0; from < services; from += SERVICES_PER_DOCUMENT) {
    const count = Math.min(SERVICES_PER_DOCUMENT, services - from);
    const texts = Array.from({ length: count }, (_, at) => serviceYaml(from + at));
    state = apply(state, texts.join("---\n"));
  }
  return state;
});
const noCode = (): undefined => undefined;
const snapshot = measure("first proxy of the revision", () =>
  compileSnapshot(mesh, proxy(1), noCode),
);
measure("second proxy, same namespace, other address", () =>
  compileSnapshot(mesh, proxy(2), noCode),
);
measure("third proxy, other namespace", () => compileSnapshot(mesh, proxy(3, "other"), noCode));
const next = measure("apply one route's change", () => apply(mesh, serviceYaml(7, 5)));
const after = measure("first proxy after it", () => compileSnapshot(next, proxy(1), noCode));

const all = [...snapshot.values()].flatMap((resources) => [...resources.values()]);
const kilobytes = all.reduce((sum, { body }) => sum + body.length, 0) / 1024;
const changed = [...after].flatMap(([type, resources]) =>
  [...resources.values()].filter(({ name, version }) => {
    return snapshot.get(type)?.get(name)?.version !== version;
  }),
);
console.log(
  `${all.length} resources, ${kilobytes.toFixed(0)} KiB; the change touches ${changed.length}`,
);
