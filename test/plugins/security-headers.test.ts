import { resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/security-headers"));

/** As Weft sets up Envoy: what the application says of itself passes. */
const manager = { server_header_transformation: "PASS_THROUGH" };

test("a page gets the headers it has not, and keeps those it has", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { preset: "legacy" },
    manager,
    upstream: (_, response) => {
      response.writeHead(200, {
        server: "Apache/2.4.1",
        "x-powered-by": "PHP/5.4",
        "referrer-policy": "no-referrer",
      });
      response.end();
    },
  });
  const plain = await envoy.fetch("/");
  expect(plain.header("x-content-type-options")).toBe("nosniff");
  expect(plain.header("x-frame-options")).toBe("SAMEORIGIN");
  expect(plain.header("referrer-policy")).toBe("no-referrer");
  expect(plain.header("server")).toBeUndefined();
  expect(plain.header("x-powered-by")).toBeUndefined();
  expect(plain.header("strict-transport-security")).toBeUndefined();
  // A proxy in front has ended TLS.
  const secure = await envoy.fetch("/", { headers: { "x-forwarded-proto": "https" } });
  expect(secure.header("strict-transport-security")).toBe("max-age=31536000");
});

test("a client that Envoy does not trust cannot say that it came over https", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { preset: "legacy" },
    manager: { use_remote_address: true },
  });
  const answer = await envoy.fetch("/", { headers: { "x-forwarded-proto": "https" } });
  expect(answer.header("x-content-type-options")).toBe("nosniff");
  expect(answer.header("strict-transport-security")).toBeUndefined();
});

test("the application and the policy have the same nonce, another for each response", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { preset: "strict", nonce: true },
    upstream: (request, response) => {
      response.end(`<script nonce="${request.headers["x-csp-nonce"]}"></script>`);
    },
  });
  const nonces = [];
  for (let i = 0; i < 5; i++) {
    const page = await envoy.fetch("/", { headers: { "x-csp-nonce": "chosen" } });
    const [, nonce] = /nonce="([^"]+)"/.exec(page.body) ?? [];
    expect(page.header("content-security-policy")).toContain(`script-src 'nonce-${nonce}' `);
    nonces.push(nonce);
  }
  expect(new Set(nonces).size).toBe(5);
  expect(nonces).not.toContain("chosen");
});

test("an answer of Envoy's own gets them, too", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration: { preset: "api" },
    routes: [{ match: { prefix: "/there" }, direct_response: { status: 200 } }],
  });
  const missing = await envoy.fetch("/nowhere");
  expect(missing.status).toBe(404);
  expect(missing.header("content-security-policy")).toContain("default-src 'none'");
});
