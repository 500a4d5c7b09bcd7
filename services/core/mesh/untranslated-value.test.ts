import { expect, test } from "vitest";
import { readManifests } from "./manifest.ts";
import { untranslatedValues } from "./untranslated-value.ts";

/** What is said of a resource, each with its place. */
function warningsOf(kind: string, spec: string): string[] {
  const apiVersion =
    kind === "WasmPlugin" ? "extensions.istio.io/v1alpha1" : "networking.istio.io/v1";
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: one }\nspec:\n${spec}`;
  const { manifests, findings } = readManifests([{ path: "one.yaml", text }], {
    namespace: "default",
  });
  expect(findings).toEqual([]);
  return manifests
    .flatMap(untranslatedValues)
    .map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test("a gateway's port is warned of if no listener opens it", () => {
  const spec = `
  servers:
    - { port: { number: 80, name: http, protocol: http }, hosts: ["*"] }
    - { port: { number: 9000, name: tcp, protocol: TCP }, hosts: ["*"] }
    - port: { number: 443, name: tls, protocol: TLS }
      hosts: ["*"]
      tls: { mode: PASSTHROUGH }
    - { port: { number: 81, name: uds, protocol: HTTP }, bind: "unix:///x", hosts: ["*"] }
`;
  expect(warningsOf("Gateway", spec)).toEqual([
    "8:52 port 9000 is not opened: gateways do not serve TCP yet",
    "9:49 port 443 is not opened: gateways do not serve TLS yet",
    "12:64 port 81 is not opened: gateways bind addresses only yet",
  ]);
});

test("a service's port is warned of if sidecars cannot send to it", () => {
  const spec = `
  hosts: [db.example]
  resolution: DNS
  ports:
    - { number: 80, name: http }
    - { number: 81, name: anything }
    - { number: 82, name: grpc-web, protocol: GRPC-WEB }
    - { number: 5432, name: tcp-db }
    - { number: 443, name: web, protocol: https }
`;
  const why =
    "and sidecars send HTTP only yet: nothing leads there but a VirtualService's http rule";
  expect(warningsOf("ServiceEntry", spec)).toEqual([
    `12:29 port 5432 speaks TCP, ${why}`,
    `13:43 port 443 speaks HTTPS, ${why}`,
  ]);
});

test("a condition on a token's claim is warned of, since no token is verified", () => {
  const spec = `
  hosts: [one]
  http:
    - match:
        - headers: { "@request.auth.claims.group": { exact: a }, x: { exact: "@" } }
      route: [{ destination: { host: one } }]
`;
  expect(warningsOf("VirtualService", spec)).toEqual([
    "9:52 @request.auth.claims.group: tokens are not verified yet, so no request has claims",
  ]);
});

test("a plugin is warned of if its module is not loaded", () => {
  expect(warningsOf("WasmPlugin", "  url: weft://one\n")).toEqual([]);
  expect(warningsOf("WasmPlugin", "  url: oci://one/two:3\n  type: NETWORK\n")).toEqual([
    "5:8 oci://one/two:3 is not fetched yet, so failStrategy decides about every request",
    "6:9 plugins of type NETWORK are not loaded yet",
  ]);
});
