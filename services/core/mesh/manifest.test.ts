import { expect, test } from "vitest";
import { readManifests, subjectOf } from "./manifest.ts";

function read(text: string, path = "shop.yaml") {
  return readManifests([{ path, text }], { namespace: "default" });
}

/** Findings as a tool prints them: place, code, what and which, and what to do. */
function told(text: string): string[] {
  return read(text).findings.map(({ line, column, code, message, help }) => {
    return `${line}:${column} ${code} ${message} (${help})`;
  });
}

function subjects(text: string): string[] {
  return read(text).manifests.map(subjectOf);
}

const rule = (name: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name} }
spec: { host: ${name} }
`;

test("a file has many documents, empty ones too", () => {
  expect(subjects(`---\n${rule("a")}\n---\n# nothing\n---\n${rule("b")}---\n`)).toEqual([
    "DestinationRule default/a",
    "DestinationRule default/b",
  ]);
});

test("a list is its items, and JSON is read as well", () => {
  const item = (name: string) => ({
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "DestinationRule",
    metadata: { name, namespace: "shop" },
    spec: { host: name },
  });
  const list = { apiVersion: "v1", kind: "List", items: [item("a"), item("b")] };
  expect(subjects(JSON.stringify(list, null, "\t"))).toEqual([
    "DestinationRule shop/a",
    "DestinationRule shop/b",
  ]);
});

test("a manifest keeps where its author wrote it", () => {
  const [manifest] = read(`# a comment\n${rule("a")}`, "rules/a.yaml").manifests;
  expect(manifest?.manifest.origin).toMatchObject({ path: "rules/a.yaml", line: 3 });
});

test("every problem is told at once, each at its key or value", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: reviews
  http:
    - timeot: 5s
      timeout: fast
      route:
        - destination:
            host: reviews
            port: { number: eighty }
          weight: "90"
      retries: { attempts: 2, retryOn: 5xxx }
      corsPolicy: { unmatchedPreflights: FORWRD }
`;
  expect(told(text)).toEqual([
    '7:10 manifest.bad_value spec.hosts is "reviews", not a list (begin each item with `- `)',
    "9:7 manifest.unknown_field spec.http[0] has no field timeot (did you mean `timeout`?)",
    '10:16 manifest.bad_value spec.http[0].timeout is "fast", not a duration ' +
      "(write a number and a unit of ns, us, ms, s, m or h, such as `10s` or `1m30s`)",
    '14:29 manifest.bad_value spec.http[0].route[0].destination.port.number is "eighty", ' +
      "not a whole number (write a value that the field can have)",
    '15:19 manifest.bad_value spec.http[0].route[0].weight is "90", not a whole number ' +
      "(write a value that the field can have)",
    '17:42 manifest.bad_value spec.http[0].corsPolicy.unmatchedPreflights cannot be "FORWRD" ' +
      "(did you mean `FORWARD`? it is one of UNSPECIFIED, FORWARD, IGNORE)",
    '16:40 manifest.bad_value "5xxx" is no condition for a retry (did you mean `5xx`?)',
  ]);
});

test("a finding names its resource and its field", () => {
  const text = rule("reviews").replace("host: reviews", "host: reviews, hots: x");
  expect(read(text).findings).toMatchObject([
    {
      code: "manifest.unknown_field",
      number: "WEFT0105",
      path: "shop.yaml",
      line: 5,
      column: 24,
      subject: "DestinationRule default/reviews",
      field: "spec.hots",
      help: "did you mean `host`?",
    },
  ]);
});

test("both names of a field are read, but not together", () => {
  const withMirror = (percent: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http: [{ route: [{ destination: { host: reviews } }], mirror: { host: shadow }, ${percent} }]
`;
  expect(told(withMirror("mirror_percent: 10"))).toEqual([]);
  expect(told(withMirror("mirror_percent: 10, mirrorPercent: 20"))).toEqual([
    "7:103 manifest.conflicting_fields spec.http[0] has both mirror_percent and mirrorPercent, " +
      "which are one field (keep what is meant and remove the rest)",
  ]);
});

test("a value where a message should be is told the message's fields", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: /a }]
      route: [{ destination: { host: reviews, port: 80 } }]
`;
  expect(told(text)).toEqual([
    '8:22 manifest.bad_value spec.http[0].match[0].uri is "/a", not a map of fields ' +
      "(write a map with fields of exact, prefix, regex)",
    "9:53 manifest.bad_value spec.http[0].route[0].destination.port is 80, not a map of fields " +
      "(write a map with fields of number)",
  ]);
});

test("of fields that exclude one another, one is set", () => {
  const text = rule("reviews").replace(
    "host: reviews",
    "host: reviews, trafficPolicy: { loadBalancer: { simple: RANDOM, consistentHash: {} } }",
  );
  expect(told(text)).toEqual([
    "5:73 manifest.conflicting_fields spec.trafficPolicy.loadBalancer sets both simple and " +
      "consistentHash (keep one of them)",
  ]);
});

test("a kind is refused for the reason that it has", () => {
  const of = (apiVersion: string, kind: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: a }\nspec: {}\n`;
  const first = (text: string) => told(text)[0];
  expect([
    first(of("v1", "Service")),
    first(of("apps/v1", "Deployment")),
    first(of("gateway.networking.k8s.io/v1", "Gateway")),
    first(of("security.istio.io/v1", "AuthorizationPolicy")),
    first(of("networking.istio.io/v1", "VirtualServices")),
    first(of("networking.istio.io/v2", "VirtualService")),
    first(of("weft.dev/v1", "Plugin")),
    first("metadata: { name: a }"),
    first("just a text"),
  ]).toEqual([
    "2:7 manifest.foreign_kind Service (v1) belongs to Kubernetes, not to the mesh " +
      "(apply it to the platform it belongs to; Weft only keeps mesh configuration)",
    "2:7 manifest.foreign_kind Deployment (apps/v1) belongs to Kubernetes, not to the mesh " +
      "(apply it to the platform it belongs to; Weft only keeps mesh configuration)",
    "2:7 manifest.foreign_kind Gateway is of the Gateway API, which this version does not " +
      "translate (write the same as Istio's Gateway and VirtualService)",
    "2:7 manifest.unknown_kind AuthorizationPolicy is known to Istio but not yet translated by " +
      "this version (leave it out; nothing would act on it)",
    "2:7 manifest.unknown_kind VirtualServices (networking.istio.io/v1) is no kind that a mesh " +
      "holds (did you mean `VirtualService`?)",
    "1:13 manifest.unknown_version VirtualService is not read in version networking.istio.io/v2 " +
      "(write networking.istio.io/v1 or networking.istio.io/v1beta1 or " +
      "networking.istio.io/v1alpha3)",
    "2:7 manifest.foreign_kind Plugin is made by publishing a module, not by a manifest " +
      "(publish a plugin with `weft plugin push`)",
    "1:1 manifest.missing_field the document has no kind (begin with apiVersion and kind)",
    '1:1 manifest.syntax the document is "just a text", not a resource ' +
      "(mend the YAML at this place)",
  ]);
});

test("metadata is checked as Kubernetes does, and what it keeps for itself is dropped", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: Reviews
  namespace: my shop
  uid: 1234
  managedFields: [{ manager: kubectl }]
  lables: { a: b }
  labels: { version: 1, "app!": reviews }
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
spec: { host: reviews }
status: { conditions: [] }
`;
  expect(told(text).map((line) => line.replace(/ \(.*/, ""))).toEqual([
    "9:3 manifest.unknown_field metadata has no field lables",
    "10:22 manifest.bad_metadata version in metadata.labels is 1, not a text",
    '5:9 manifest.bad_metadata name "Reviews" is no DNS name',
    '6:14 manifest.bad_metadata namespace "my shop" is no DNS label',
    "10:33 manifest.bad_metadata label app! is no key of a label",
  ]);
});

test("a resource is described once", () => {
  expect(told(`${rule("a")}---${rule("b")}---${rule("a")}`)).toEqual([
    "14:19 manifest.duplicate DestinationRule default/a is already described at shop.yaml:2 " +
      "(keep one of the two documents)",
  ]);
});

test("the mesh's configuration stands in a spec or by itself, under one name", () => {
  const bare = "kind: MeshConfig\naccessLogFile: /dev/stdout\nconnectTimeout: 5s\n";
  const full =
    "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: { name: default }\n" +
    "spec: { accessLogFile: /dev/stdout, connectTimeout: 5s }\n";
  const [one, other] = [read(bare), read(full)].map(({ manifests }) => manifests[0]);
  expect(one?.manifest.spec).toEqual(other?.manifest.spec);
  expect(one && subjectOf(one)).toBe("MeshConfig default");
  expect(told(full.replace("name: default", "name: mine"))).toEqual([
    "3:19 manifest.bad_metadata a mesh has one MeshConfig, named default, not mine " +
      "(give the resource a name and labels as Kubernetes wants them)",
  ]);
  expect(told("kind: MeshConfig\naccesLogFile: x\n")).toEqual([
    "2:1 manifest.unknown_field spec has no field accesLogFile (did you mean `accessLogFile`?)",
  ]);
});

test("a key that is a prototype is no entry", () => {
  const plugin = `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: a }
spec:
  url: weft://a
  selector: { matchLabels: { __proto__: x } }
  pluginConfig: { __proto__: 1 }
`;
  expect(told(plugin).map((line) => line.split(" (")[0])).toEqual([
    "7:30 manifest.bad_value key __proto__ of spec.selector.matchLabels is reserved",
    "8:17 manifest.bad_value spec.pluginConfig holds the key __proto__, which is reserved",
  ]);
});
