import { equals, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { drawFrom, drawSpec } from "./arbitrary.ts";
import { encodeSpec } from "./encode.ts";
import { createReport, type FieldPlace } from "./finding.ts";
import { readManifests, specFromJson } from "./manifest.ts";
import { type Kind, SPECS } from "./resource.ts";
import { readMessage } from "./schema.ts";
import { readTrees } from "./tree.ts";
import { fromManifestJson, toManifestJson } from "./view.ts";

const kinds = Object.keys(SPECS) as Kind[];

/** Reads a spec from its text, structure only: what a generator writes breaks the checks. */
function readSpec(kind: Kind, text: string) {
  const places = new Map<string, FieldPlace>();
  const at = { line: 1, column: 1 };
  const report = createReport({ path: "drawn.json", subject: kind, at, places });
  const { trees, problems } = readTrees(text);
  const [tree] = trees;
  if (tree === undefined) throw new Error(problems[0]?.message);
  const json = readMessage(SPECS[kind], tree, { path: "spec", reader: { report, places } });
  return { spec: specFromJson(kind, json), findings: report.findings.map((each) => each.message) };
}

test.each(kinds)("%s: what is shown reads as what was shown", (kind) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const spec = drawSpec(kind, drawFrom(seed));
      const labels = { app: "a" };
      const resource = { kind, namespace: "default", name: "drawn", labels, annotations: {}, spec };
      const json = toManifestJson(resource);
      const read = readSpec(kind, JSON.stringify(json["spec"], null, 2));
      expect(read.findings).toEqual([]);
      expect(equals(SPECS[kind], read.spec, spec)).toBe(true);
      expect(encodeSpec(kind, read.spec)).toEqual(encodeSpec(kind, spec));
      expect(fromManifestJson(json)).toEqual(resource);
    }),
    { numRuns: 40 },
  );
});

test("a resource is shown as people write it", () => {
  const text = `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: { name: reviews, namespace: shop, labels: { app: reviews }, uid: "7" }
spec:
  hosts: [reviews]
  http:
    - timeout: 1m30s
      route: [{ destination: { host: reviews, subset: v1 }, weight: 100 }]
`;
  const { manifests } = readManifests([{ path: "shop.yaml", text }], { namespace: "default" });
  const shown = manifests.map(({ manifest, ...rest }) => {
    return toManifestJson({ ...rest, labels: manifest.labels, annotations: manifest.annotations });
  });
  expect(shown).toEqual([
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "reviews", namespace: "shop", labels: { app: "reviews" } },
      spec: {
        hosts: ["reviews"],
        http: [
          {
            timeout: "90s",
            route: [{ destination: { host: "reviews", subset: "v1" }, weight: 100 }],
          },
        ],
      },
    },
  ]);
});

test("a zero that means something is shown", () => {
  const spec = specFromJson("DestinationRule", {
    host: "reviews",
    trafficPolicy: { tls: {}, loadBalancer: { simple: "ROUND_ROBIN" } },
  });
  const base = { namespace: "default", name: "reviews", labels: {}, annotations: {} };
  expect(toManifestJson({ kind: "DestinationRule", ...base, spec })["spec"]).toEqual({
    host: "reviews",
    trafficPolicy: { tls: { mode: "DISABLE" }, loadBalancer: { simple: "ROUND_ROBIN" } },
  });
});

test("bytes do not depend on the order in which maps were filled", () => {
  const forth = specFromJson("Gateway", { selector: { a: "1", b: "2" } });
  const back = specFromJson("Gateway", { selector: { b: "2", a: "1" } });
  expect(toBinary(SPECS.Gateway, forth)).not.toEqual(toBinary(SPECS.Gateway, back));
  expect(encodeSpec("Gateway", forth)).toEqual(encodeSpec("Gateway", back));
});
