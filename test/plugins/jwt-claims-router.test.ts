import { createSign, generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPlugin } from "../../extensions/sdk/build.ts";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "../../extensions/jwt-claims-router"));

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "story", alg: "RS256", use: "sig" };

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of these claims, signed as the provider does. */
function tokenOf(claims: object): string {
  const signed = `${base64url({ alg: "RS256", kid: "story" })}.${base64url({ iss: "idp", ...claims })}`;
  const signature = createSign("sha256").update(signed).sign(privateKey);
  return `${signed}.${signature.toString("base64url")}`;
}

const bearer = (claims: object) => ({ authorization: `Bearer ${tokenOf(claims)}` });

/** Envoy's own filter, which verifies the token, or lets a request without one pass. */
const jwtAuthn = {
  name: "envoy.filters.http.jwt_authn",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
    providers: {
      idp: {
        issuer: "idp",
        local_jwks: { inline_string: JSON.stringify({ keys: [jwk] }) },
        payload_in_metadata: "jwt_payload",
      },
    },
    rules: [
      {
        match: { prefix: "/" },
        requires: {
          requires_any: { requirements: [{ provider_name: "idp" }, { allow_missing: {} }] },
        },
      },
    ],
  },
};

/** Routes by the header that the plugin sets; each shows which one it was. */
const routes = ["gold", "ops"]
  .map((pool) => ({
    match: { prefix: "/", headers: [{ name: "x-pool", string_match: { exact: pool } }] },
    route: { cluster: "upstream" },
    response_headers_to_add: [{ header: { key: "x-route", value: pool } }],
  }))
  .concat({
    match: { prefix: "/", headers: [] },
    route: { cluster: "upstream" },
    response_headers_to_add: [{ header: { key: "x-route", value: "standard" } }],
  });

const configuration = {
  copy: { "x-user": "sub" },
  rules: [
    {
      name: "suspended",
      when: [{ claim: "account.suspended", is: "true" }],
      deny: "the account is suspended",
    },
    {
      name: "gold",
      when: [
        { claim: "tier", oneOf: ["gold", "platinum"] },
        { claim: "level", atLeast: 3 },
      ],
      set: { "x-pool": "gold" },
    },
    {
      name: "ops",
      when: [{ claim: "https://example\\.com/roles", contains: "ops" }],
      set: { "x-pool": "ops" },
    },
  ],
};

test("a verified claim chooses the route, and nothing else does", async () => {
  await using envoy = await startPluginEnvoy({
    wasm,
    configuration,
    routes,
    otherFilters: { before: [jwtAuthn] },
  });
  const routeOf = async (claims: object, headers = {}) =>
    (await envoy.fetch("/", { headers: { ...bearer(claims), ...headers } })).header("x-route");

  expect(await routeOf({ tier: "gold", level: 3 })).toBe("gold");
  expect(await routeOf({ tier: "gold", level: 2 })).toBe("standard");
  expect(await routeOf({ tier: "tin", level: 9 }, { "x-pool": "gold" })).toBe("standard");
  const roles = "https://example.com/roles";
  expect(await routeOf({ [roles]: ["dev", "ops"] })).toBe("ops");
  expect(await routeOf({ [roles]: "ops" })).toBe("ops");
  expect(await routeOf({ [roles]: [null, "ops"], none: null })).toBe("ops");
  expect(await routeOf({ [roles]: { ops: "", 0: "x" }, none: null })).toBe("standard");

  const denied = await envoy.fetch("/", {
    headers: bearer({ account: { suspended: true } }),
  });
  expect([denied.status, denied.body]).toEqual([403, "the account is suspended"]);

  const forged = bearer({ sub: "ann", tier: "gold", level: 4 }).authorization.replace(/.$/, "");
  expect((await envoy.fetch("/", { headers: { authorization: forged } })).status).toBe(401);
  const missing = await envoy.fetch("/", { headers: { "x-pool": "gold" } });
  expect([missing.status, missing.body]).toEqual([403, "no verified token\n"]);

  const { headers } = (await envoy.fetch("/", { headers: bearer({ sub: "ann" }) })).json();
  expect(headers).toContainEqual(["x-user", "ann"]);
  expect(await envoy.stats("wasmcustom.jwt_router_requests_total.rule=.=gold;.;")).toBe(1);
  expect(await envoy.stats("wasmcustom.jwt_router_requests_total.rule=.=missing;.;")).toBe(1);
});
