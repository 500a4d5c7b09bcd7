import { expect, test } from "vitest";
import { readManifests } from "./manifest.ts";

const VERSIONS: Readonly<Record<string, string>> = {
  Gateway: "networking.istio.io/v1",
  MeshConfig: "mesh.istio.io/v1alpha1",
  PeerAuthentication: "security.istio.io/v1",
  ServiceEntry: "networking.istio.io/v1",
  WasmPlugin: "extensions.istio.io/v1alpha1",
  WorkloadEntry: "networking.istio.io/v1",
};

/** What is said of a resource with this spec. */
function told(kind: string, spec: string): string[] {
  const text = `apiVersion: ${VERSIONS[kind]}
kind: ${kind}
metadata: { name: default }
spec: ${spec}
`;
  const { findings } = readManifests([{ path: "a.yaml", text }], { namespace: "default" });
  return findings.map(({ code, field, message }) => {
    return `${code.replace("manifest.", "")} ${field.replace("spec.", "")}: ${message}`;
  });
}

const http = "port: { number: 80, name: http, protocol: HTTP }";
const https = "port: { number: 443, name: https, protocol: HTTPS }";
const digest = "a".repeat(64);

test.each([
  ["Gateway", `{ selector: { istio: edge }, servers: [{ ${http}, hosts: ["*"] }] }`],
  ["Gateway", `{ servers: [{ ${http}, hosts: [shop/*.a.com], tls: { httpsRedirect: true } }] }`],
  ["Gateway", `{ servers: [{ ${https}, hosts: [a.com], tls: { mode: PASSTHROUGH } }] }`],
  [
    "Gateway",
    `{ servers: [{ ${https}, hosts: [a.com], tls: { mode: MUTUAL, credentialName: a } }] }`,
  ],
  ["ServiceEntry", "{ hosts: [a.com], ports: [{ number: 80, name: http }], resolution: DNS }"],
  ["ServiceEntry", '{ hosts: ["*.a.com"], addresses: [192.0.2.0/24] }'],
  ["ServiceEntry", '{ hosts: ["*.a.com"], resolution: DYNAMIC_DNS }'],
  ["ServiceEntry", "{ hosts: [a], resolution: STATIC, endpoints: [{ address: '2001:db8::1' }] }"],
  ["ServiceEntry", "{ hosts: [a], resolution: STATIC, endpoints: [{ address: unix:///a.sock }] }"],
  ["WorkloadEntry", "{ address: vm.example.com, ports: { http: 8080 }, serviceAccount: a }"],
  ["WorkloadEntry", '{ address: "unix://@abstract" }'],
  ["WorkloadEntry", "{ network: elsewhere }"],
  ["PeerAuthentication", "{ mtls: { mode: STRICT } }"],
  ["PeerAuthentication", "{ selector: { matchLabels: { a: b } }, portLevelMtls: { 80: {} } }"],
  ["WasmPlugin", "{ url: weft://stamp, pluginConfig: { a: [1, { b: null }] } }"],
  ["WasmPlugin", "{ url: registry.example.com:5000/team/stamp:v1 }"],
  ["WasmPlugin", `{ url: "http://127.0.0.1/a.wasm", sha256: ${digest} }`],
  ["MeshConfig", "{ trustDomain: shop.example, connectTimeout: 5s, proxyHttpPort: 15080 }"],
])("%s %s is accepted", (kind, spec) => {
  expect(told(kind, spec)).toEqual([]);
});

test.each([
  ["{}", "missing_field servers: Gateway has no server"],
  ["{ servers: [{ hosts: [a.com] }] }", "missing_field servers[0].port: server has no port"],
  [
    "{ servers: [{ port: { number: 80 } }] }",
    "missing_field servers[0].port.name: port 80 has no name",
    "missing_field servers[0].port.protocol: port 80 has no protocol",
    "missing_field servers[0].hosts: server has no host",
  ],
  [
    "{ servers: [{ port: { number: 0, name: a, protocol: HTPT }, hosts: [short, x/y/z] }] }",
    "bad_value servers[0].port.number: port 0 is not within 1 to 65535",
    'bad_value servers[0].port.protocol: protocol "HTPT" is unknown',
    "bad_value servers[0].hosts[0]: host short is a short name",
    'bad_value servers[0].hosts[1]: "y/z" is no host name',
  ],
  [
    `{ servers: [{ ${https}, hosts: [a.com] }] }`,
    "missing_field servers[0].tls: server on port 443 speaks HTTPS without tls",
  ],
  [
    `{ servers: [{ ${https}, hosts: [a.com], tls: { mode: MUTUAL, serverCertificate: /c } }] }`,
    "missing_field servers[0].tls.privateKey: tls mode MUTUAL has no privateKey",
    "missing_field servers[0].tls.caCertificates: " +
      "tls mode MUTUAL has no caCertificates to verify clients",
  ],
  [
    `{ servers: [{ ${https}, hosts: [a.com],
       tls: { minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2, cipherSuites: [RC4] } }] }`,
    "conflicting_fields servers[0].tls.maxProtocolVersion: " +
      "no version is at least TLSV1_3 and at most TLSV1_2",
    "bad_value servers[0].tls.cipherSuites[0]: cipher suite RC4 is unknown to Envoy",
  ],
  [
    `{ servers: [{ ${https}, hosts: [a.com], tls: { mode: ISTIO_MUTUAL, credentialName: a } }] }`,
    "conflicting_fields servers[0].tls.credentialName: " +
      "tls mode ISTIO_MUTUAL does not take credentialName",
  ],
  [
    `{ servers: [{ ${http}, hosts: [a.com], tls: { mode: SIMPLE, credentialName: a } }] }`,
    "conflicting_fields servers[0].tls.credentialName: " +
      "a port that speaks HTTP has no use for credentialName",
    "conflicting_fields servers[0].tls.mode: a port that speaks HTTP has no TLS mode",
  ],
  [
    `{ servers: [{ ${http}, hosts: [a.com] }, { ${http}, hosts: [a.com] }] }`,
    "repeated_value servers[1].port.name: port http is there twice",
    "conflicting_fields servers[1].hosts[0]: host a.com is served twice on port 80",
  ],
  [
    `{ servers: [{ ${http}, hosts: [a.com] },
       { port: { number: 80, name: db, protocol: MYSQL }, hosts: ["*"] }] }`,
    "conflicting_fields servers[1].port.protocol: port 80 is both HTTP and MYSQL",
  ],
])("Gateway %s is refused", (spec, ...findings) => {
  expect(told("Gateway", spec)).toEqual(findings);
});

test.each([
  ["{}", "missing_field hosts: ServiceEntry has no host"],
  ['{ hosts: ["*"] }', "bad_value hosts[0]: host * stands for every host"],
  [
    '{ hosts: ["*.a.com"], resolution: DNS }',
    "bad_value hosts[0]: resolution DNS cannot look up the wildcard *.a.com",
  ],
  [
    "{ hosts: [a.com], resolution: DYNAMIC_DNS, location: MESH_INTERNAL }",
    "conflicting_fields location: " +
      "resolution DYNAMIC_DNS leads out of the mesh, location MESH_INTERNAL",
    "bad_value hosts[0]: host a.com is no wildcard, which DYNAMIC_DNS is for",
  ],
  [
    "{ hosts: [a], addresses: [192.0.2.300, 192.0.2.0/24], resolution: DNS }",
    'bad_value addresses[0]: "192.0.2.300" is no address or network',
    "conflicting_fields addresses[1]: network 192.0.2.0/24 needs resolution NONE or STATIC",
  ],
  [
    "{ hosts: [a], resolution: STATIC, endpoints: [{ address: b.com, ports: { web: 80 } }] }",
    'bad_value endpoints[0].ports["web"]: the ServiceEntry has no port named web',
    "bad_value endpoints[0].address: resolution STATIC takes addresses, not the name b.com",
  ],
  [
    "{ hosts: [a], ports: [{ number: 80 }, { number: 80, name: a, protocol: HTPT }] }",
    "missing_field ports[0].name: port 80 has no name",
    'bad_value ports[1].protocol: protocol "HTPT" is unknown',
    "repeated_value ports[1].number: port 80 is there twice",
  ],
])("ServiceEntry %s is refused", (spec, ...findings) => {
  expect(told("ServiceEntry", spec)).toEqual(findings);
});

test.each([
  ["WorkloadEntry", "{}", "missing_field address: workload has no address"],
  ["WorkloadEntry", "{ address: a_b }", 'bad_value address: "a_b" is no host name'],
  [
    "WorkloadEntry",
    "{ address: unix:///a, ports: { http: 0 } }",
    "conflicting_fields ports: a Unix socket has no ports",
    'bad_value ports["http"]: port 0 is not within 1 to 65535',
  ],
  [
    "PeerAuthentication",
    "{ portLevelMtls: { 0: { mode: STRICT } } }",
    "conflicting_fields portLevelMtls: portLevelMtls needs a selector: ports belong to workloads",
    'bad_value portLevelMtls["0"]: port 0 is not within 1 to 65535',
  ],
  [
    "PeerAuthentication",
    "{ mtls: { mode: STRCT }, portLevelMtls: { http: {} } }",
    'bad_value mtls.mode: spec.mtls.mode cannot be "STRCT"',
    'bad_value portLevelMtls["http"]: key http of spec.portLevelMtls is not a whole number',
  ],
  ["WasmPlugin", "{}", "missing_field url: WasmPlugin has no url"],
  [
    "WasmPlugin",
    "{ url: weft://Stamp }",
    'bad_value url: url "weft://Stamp" is no name of a plugin',
  ],
  ["WasmPlugin", '{ url: "file://a" }', 'bad_value url: url "file://a" is no absolute path'],
  [
    "WasmPlugin",
    "{ url: weft://a, selector: {}, targetRefs: [{ kind: Pod, name: a }] }",
    "conflicting_fields targetRefs: WasmPlugin has both selector and targetRefs",
    'bad_value targetRefs[0].kind: nothing can be attached to Pod of group ""',
  ],
  [
    "WasmPlugin",
    "{ url: weft://a, vmConfig: { env: [{ name: A, valueFrom: HOST, value: x }, {}] } }",
    "conflicting_fields vmConfig.env[0].value: variable A takes its value from the host",
    "missing_field vmConfig.env[1].name: variable has no name",
  ],
  [
    "MeshConfig",
    "{ accessLogEncoding: JSON, accessLogFormat: '[%START_TIME%]' }",
    "bad_value accessLogFormat: accessLogFormat is no JSON object",
  ],
  [
    "MeshConfig",
    "{ accessLogFormat: '100%% %PROTOCOL% %PROTOCOLS%' }",
    "bad_value accessLogFormat: %PROTOCOLS%: Envoy has no command operator PROTOCOLS",
  ],
  [
    "MeshConfig",
    `{ accessLogEncoding: JSON, accessLogFormat: '{"%A%": 1, "b": ["%REQ(A)%", {"c": "%REQ("}]}' }`,
    "bad_value accessLogFormat: %REQ( is no command of an access log",
  ],
  [
    "MeshConfig",
    "{ trustDomain: Shop, proxyHttpPort: 70000, defaultServiceExportTo: [a b] }",
    "bad_value proxyHttpPort: proxyHttpPort 70000 is not within 0 to 65535",
    'bad_value trustDomain: "Shop" is no trust domain',
    'bad_value defaultServiceExportTo[0]: defaultServiceExportTo "a b" ' +
      "is neither ., *, ~ nor a namespace",
  ],
])("%s %s is refused", (kind, spec, ...findings) => {
  expect(told(kind, spec)).toEqual(findings);
});
