import { expect, test } from "vitest";
import { applyManifests } from "./apply.ts";
import { checkBreakage } from "./breakage.ts";
import { type Hash, previewMesh } from "./change.ts";
import { readManifests } from "./manifest.ts";
import { emptyMesh, type Mesh } from "./mesh.ts";
import { deleteResources } from "./remove.ts";

const hash: Hash = () => new Uint8Array(32);

const namespace = "default";

function applied(mesh: Mesh, text: string): Mesh {
  const { manifests, findings } = readManifests([{ path: "shop.yaml", text }], { namespace });
  expect(findings).toEqual([]);
  return previewMesh(mesh, applyManifests(mesh, manifests), hash);
}

function without(mesh: Mesh, kind: string, name: string): Mesh {
  return previewMesh(mesh, deleteResources(mesh, [{ kind, namespace, name }]), hash);
}

/** What is said of a change, as warnings are printed. */
function told(before: Mesh, after: Mesh): string[] {
  return checkBreakage(before, after).map(({ path, line, column, subject, message }) => {
    return `${path}:${line}:${column} ${subject}: ${message}`;
  });
}

function resource(kind: string, spec: string): string {
  return `apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: { name: reviews }
spec: ${spec}
---
`;
}

const host = "reviews.default.svc.cluster.local";

const route = (...destinations: string[]): string => {
  const routes = destinations.map((destination) => `{ route: [{ destination: ${destination} }] }`);
  return resource("VirtualService", `{ hosts: [reviews], http: [${routes.join(", ")}] }`);
};

const shop =
  resource("ServiceEntry", `{ hosts: [${host}, review.default.svc.cluster.local] }`) +
  resource("DestinationRule", "{ host: reviews, subsets: [{ name: v1 }, { name: v2 }] }") +
  route("{ host: reviews, subset: v1 }", "{ host: reviews, subset: v1 }");

const mesh = applied(emptyMesh("shop"), shop);

test("what stays and names what went is told, each missing thing once", () => {
  expect(told(mesh, without(mesh, "DestinationRule", "reviews"))).toEqual([
    "shop.yaml:11:1 VirtualService default/reviews: " +
      "no DestinationRule of reviews defines subset v1",
  ]);
  expect(told(mesh, without(mesh, "ServiceEntry", "reviews"))).toEqual([
    "shop.yaml:11:1 VirtualService default/reviews: no service answers to host reviews",
    "shop.yaml:6:1 DestinationRule default/reviews: no service answers to host reviews",
  ]);
});

test("what goes itself, and what dangled before, is not spoken of", () => {
  expect(told(mesh, without(mesh, "VirtualService", "reviews"))).toEqual([]);
  const dangling = applied(mesh, route("{ host: nowhere }", "{ host: reviews, subset: v1 }"));
  expect(told(dangling, without(dangling, "DestinationRule", "reviews"))).toEqual([
    "shop.yaml:1:1 VirtualService default/reviews: " +
      "no DestinationRule of reviews defines subset v1",
  ]);
});

test("what a change brings back without what it refers to is told", () => {
  const emptied = without(without(mesh, "ServiceEntry", "reviews"), "VirtualService", "reviews");
  const after = applied(emptied, route("{ host: reviews, subset: v1 }"));
  expect(told(emptied, after)).toEqual([
    "shop.yaml:1:1 VirtualService default/reviews: no service answers to host reviews",
  ]);
});

test("no other name is suggested for one that was right", () => {
  const gone = applied(
    mesh,
    resource("ServiceEntry", "{ hosts: [review.default.svc.cluster.local] }"),
  );
  const renamed = applied(
    gone,
    resource("DestinationRule", "{ host: review, subsets: [{ name: v1 }] }"),
  );
  const helps = checkBreakage(mesh, renamed).map(({ help }) => help);
  expect(helps.length).toBe(2);
  expect(helps.filter((help) => help.includes("did you mean"))).toEqual([]);
});

test("a resource from no file is told without a place", () => {
  const first = mesh.resources.VirtualService?.get("default/reviews");
  if (first === undefined) throw new Error("no VirtualService");
  const { origin: _, ...manifest } = first.manifest;
  const VirtualService = new Map([["default/reviews", { ...first, manifest }]]);
  const before = { ...mesh, resources: { ...mesh.resources, VirtualService } };
  const [finding] = checkBreakage(before, without(before, "DestinationRule", "reviews"));
  expect([finding?.path, finding?.line, finding?.column]).toEqual(["", 0, 0]);
});

test("a change that breaks very much is told a hundred times", () => {
  const many = Array.from({ length: 120 }, (_, index) =>
    resource(
      "VirtualService",
      "{ hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }",
    ).replace("name: reviews }", `name: v${index} }`),
  );
  const full = applied(mesh, many.join(""));
  expect(checkBreakage(full, without(full, "ServiceEntry", "reviews")).length).toBe(100);
});
