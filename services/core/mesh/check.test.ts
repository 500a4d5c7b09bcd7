import { create } from "@bufbuild/protobuf";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import { expect, test } from "vitest";
import { applyManifests } from "./apply.ts";
import { draftPut, type Hash, previewMesh } from "./change.ts";
import { checkMesh } from "./check.ts";
import { manifestOf, readManifests } from "./manifest.ts";
import { emptyMesh, type Mesh } from "./mesh.ts";

const hash: Hash = () => new Uint8Array(32);

const services = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews }
spec: { hosts: [reviews.default.svc.cluster.local, "*.example.com"], resolution: NONE }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }] }
---
`;

const http = (rules: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
${rules}
`;

/** What is said of documents applied to a mesh, as errors and warnings are printed. */
function told(text: string, mesh: Mesh = emptyMesh("shop")): string[] {
  const { manifests, findings } = readManifests([{ path: "a.yaml", text }], {
    namespace: "default",
  });
  expect(findings).toEqual([]);
  const after = previewMesh(mesh, applyManifests(mesh, manifests), hash);
  return checkMesh(after, manifests).map(({ code, line, column, message, help }) => {
    const hint = help.startsWith("did") ? ` (${help})` : "";
    return `${line}:${column} ${code} ${message}${hint}`;
  });
}

test("references that lead somewhere are not spoken of", () => {
  const rules = `
    - match: [{ uri: { prefix: /v1 } }]
      route: [{ destination: { host: reviews, subset: v1 } }]
      mirrors: [{ destination: { host: any.example.com } }]
    - route: [{ destination: { host: reviews.default.svc.cluster.local } }]`;
  expect(told(services + http(rules))).toEqual([]);
});

test("a short name is suggested only where it leads to the service", () => {
  const there = services.replaceAll("reviews.default.svc", "reviews.shop.svc");
  const [warning] = told(there + http("    - route: [{ destination: { host: reviews } }]")).filter(
    (each) => each.includes("mesh.unknown_host no service answers to host reviews"),
  );
  expect(warning).not.toContain("did you mean");
});

test("a host, a subset, a gateway and a delegate that are not there are warned of", () => {
  const rules = `
    - match: [{ gateways: [edge] }]
      route: [{ destination: { host: review, subset: v1 } }]
    - match: [{ uri: { exact: /a } }]
      route: [{ destination: { host: reviews, subset: v11 } }]
    - delegate: { name: other }`;
  expect(told(services + http(rules))).toEqual([
    "20:28 mesh.unknown_gateway there is no Gateway edge",
    "21:38 mesh.unknown_host no service answers to host review (did you mean `reviews`?)",
    "21:54 mesh.unknown_subset no DestinationRule of review defines subset v1",
    "23:55 mesh.unknown_subset no DestinationRule of reviews defines subset v11 " +
      "(did you mean `v1`?)",
    "24:25 mesh.unknown_delegate there is no VirtualService default/other",
  ]);
});

test("a rule that nothing reaches is warned of", () => {
  const to = "route: [{ destination: { host: reviews } }]";
  const rules = `
    - match: [{ uri: { prefix: /reviews } }, { headers: { user: { exact: a } } }]
      ${to}
    - match: [{ uri: { prefix: /reviews/v2 } }]
      ${to}
    - match:
        - headers: { user: { exact: a }, more: { exact: b } }
        - headers: { user: { exact: b } }
      ${to}
    - match: [{ uri: { prefix: /Reviews }, ignoreUriCase: true }]
      ${to}
    - ${to}
    - match: [{ uri: { regex: /a.* } }]
      ${to}`;
  expect(told(services + http(rules))).toEqual([
    "22:7 mesh.unreachable_rule rule can never match: http[0].match[0] at line 20 " +
      "takes its requests",
    "25:11 mesh.unreachable_rule match can never match: http[0].match[1] at line 20 " +
      "takes its requests",
    "31:7 mesh.unreachable_rule rule can never match: http[4] at line 30 takes its requests",
  ]);
});

test("a plugin that was not pushed is refused", () => {
  const plugin = `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: stamp }
spec: { url: "weft://stamp" }
`;
  const pushed = (name: string): Mesh => {
    const head = { name, namespace: "", labels: {}, annotations: {} };
    const spec = create(PluginSchema, { digest: "a".repeat(64) });
    const manifest = manifestOf("Plugin", head, { spec });
    const draft = draftPut(emptyMesh("shop"), manifest, { kind: "Plugin", ...head, spec });
    return previewMesh(emptyMesh("shop"), [draft], hash);
  };
  expect(told(plugin, pushed("stamp"))).toEqual([]);
  expect(told(plugin, pushed("stamps"))).toEqual([
    "5:14 plugin.unknown plugin stamp is not in the store (did you mean `stamps`?)",
  ]);
});

test("a rule for a wildcard needs one service below it", () => {
  const rule = (host: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: all }
spec: { host: "${host}" }
`;
  expect(told(services + rule("*.default.svc.cluster.local"))).toEqual([]);
  expect(told(services + rule("*.elsewhere.svc.cluster.local"))).toEqual([
    "16:15 mesh.unknown_host no service answers to host *.elsewhere.svc.cluster.local",
  ]);
});
