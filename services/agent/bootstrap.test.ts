import { expect, test } from "vitest";
import { stringify } from "yaml";
import { type BootstrapOptions, writeBootstrap } from "./bootstrap.ts";

const sidecar: BootstrapOptions = {
  type: "sidecar",
  name: "reviews-v1",
  namespace: "default",
  serviceAccount: "reviews",
  labels: { app: "reviews", version: "v1" },
  ip: "127.0.7.1",
  inbound: [{ port: 9080, endpoint: "127.0.0.1:3001" }],
  httpProxyPort: 15001,
  meshId: "demo",
  locality: { region: "eu", zone: "eu-1" },
  xds: {
    security: "mtls",
    server: "127.0.0.1:15012",
    serverSpiffeId: "spiffe://mesh.test/ns/weft-system/sa/weft",
  },
  admin: { host: "127.0.7.1", port: 15000 },
  secretPath: "/run/weft/sds.sock",
};

test("a sidecar's bootstrap", async () => {
  await expect(yamlOf(sidecar)).toMatchFileSnapshot("golden/sidecar.yaml");
});

test("a gateway's bootstrap under a control plane with a name, in plaintext on one machine", async () => {
  const { meshId: _mesh, locality: _locality, httpProxyPort: _port, ...rest } = sidecar;
  const router: BootstrapOptions = {
    ...rest,
    type: "router",
    name: "gateway",
    labels: {},
    inbound: [],
    xds: { security: "plaintext", server: "localhost:15010" },
  };
  await expect(yamlOf(router)).toMatchFileSnapshot("golden/router.yaml");
});

test("plaintext never leaves the machine, and an address is host:port", () => {
  const under = (server: string) => () =>
    writeBootstrap({ ...sidecar, xds: { security: "plaintext", server } });
  expect(under("198.18.0.1:15010")).toThrow("agent.bad_options: xDS in plaintext");
  expect(under("127.0.0.1.mesh.test:15010")).toThrow("agent.bad_options: xDS in plaintext");
  for (const address of ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", ":15010", "::1:15010"]) {
    expect(under(address)).toThrow(`agent.bad_options: ${address} is not host:port`);
  }
  expect(under("[::1]:15010")).not.toThrow();
});

/** Shorter to review than what Envoy reads. */
function yamlOf(options: BootstrapOptions): string {
  return stringify(JSON.parse(writeBootstrap(options)), { lineWidth: 100 });
}
