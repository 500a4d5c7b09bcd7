import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { resolve } from "node:path";
import { extension, type Filter } from "../../world/filter-envoy.ts";

/** A plugin of the catalog, and the filter of Envoy's own that does the same. */
export interface Entry {
  /** Its folder in extensions/. */
  readonly plugin: string;
  readonly configuration: object;
  /** A filter that has to stand before the plugin, and is not counted. */
  readonly before?: Filter;
  /** In place of the plugin, and of what stands before it. Absent where Envoy has none. */
  readonly native?: Filter;
  /** A request that goes through the filter's work, and passes. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly path?: string;
}

const filter = (name: string, type: string, config: object): Filter => ({
  name: `envoy.filters.http.${name}`,
  typed_config: extension(`filters.http.${type}`, config),
});

const PASSWORD = "open sesame";
const SALT = "sesame salt";
const sha256 = createHash("sha256").update(SALT).update(PASSWORD).digest("base64");
const sha1 = createHash("sha1").update(PASSWORD).digest("base64");

const append = (key: string, value: string) => ({
  append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
});

/** What the preset `api` puts on responses: Envoy has no presets. */
const API_HEADERS = [
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-resource-policy", "same-origin"],
] as const;

const ISSUER = "https://idp.example.test";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A token of our own issuer, which expires long after the bench. */
function token(): string {
  const claims = { iss: ISSUER, sub: "ann", tier: "gold", exp: 4_102_444_800 };
  const parts = [{ alg: "ES256", kid: "bench" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const text = parts.join(".");
  const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

/** Verifies the token, and does something with its claims. */
function jwtAuthn(claims: object): Filter {
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "ES256" };
  const jwks = { inline_string: JSON.stringify({ keys: [jwk] }) };
  return filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", {
    providers: { idp: { issuer: ISSUER, local_jwks: jwks, ...claims } },
    rules: [{ match: { prefix: "/" }, requires: { provider_name: "idp" } }],
  });
}

/** The plugins that are measured. */
export const catalog: readonly Entry[] = [
  {
    plugin: "header-stamp",
    configuration: { request: { "x-one": "1", "x-two": "2" }, response: { "x-three": "3" } },
    native: filter("header_mutation", "header_mutation.v3.HeaderMutation", {
      mutations: {
        request_mutations: [append("x-one", "1"), append("x-two", "2")],
        response_mutations: [append("x-three", "3")],
      },
    }),
  },
  {
    plugin: "header-transform",
    configuration: {
      request: [{ remove: ["x-internal-*"], set: { "x-tier": "gold" } }],
      response: [{ set: { "x-request": "%{request:x-user}" } }],
    },
    native: filter("header_mutation", "header_mutation.v3.HeaderMutation", {
      mutations: {
        request_mutations: [
          { remove_on_match: { key_matcher: { prefix: "x-internal-" } } },
          append("x-tier", "gold"),
        ],
        response_mutations: [append("x-request", "%REQ(x-user)%")],
      },
    }),
    headers: [
      ["x-user", "ann@example.test"],
      ["x-internal-trace", "1"],
    ],
  },
  {
    plugin: "security-headers",
    configuration: { preset: "api" },
    native: filter("header_mutation", "header_mutation.v3.HeaderMutation", {
      mutations: { response_mutations: API_HEADERS.map(([key, value]) => append(key, value)) },
    }),
  },
  {
    plugin: "ip-allow",
    configuration: { allow: ["10.0.0.0/8", "127.0.0.0/8"], deny: ["10.66.0.0/16"] },
    native: filter("rbac", "rbac.v3.RBAC", {
      rules: {
        action: "ALLOW",
        policies: {
          inside: {
            permissions: [{ any: true }],
            principals: ["10.0.0.0", "127.0.0.0"].map((address_prefix) => ({
              direct_remote_ip: { address_prefix, prefix_len: 8 },
            })),
          },
        },
      },
    }),
  },
  {
    plugin: "basic-auth",
    configuration: {
      users: { ann: `$sha256$${Buffer.from(SALT).toString("base64")}$${sha256}` },
    },
    native: filter("basic_auth", "basic_auth.v3.BasicAuth", {
      users: { inline_string: `ann:{SHA}${sha1}\n` },
    }),
    headers: [["authorization", `Basic ${Buffer.from(`ann:${PASSWORD}`).toString("base64")}`]],
  },
  {
    plugin: "local-rate-limit",
    configuration: { rules: [{ name: "all", requests: 1_000_000 }] },
    native: filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", {
      stat_prefix: "all",
      token_bucket: { max_tokens: 1_000_000, tokens_per_fill: 1_000_000, fill_interval: "1s" },
      filter_enabled: { default_value: { numerator: 100 } },
      filter_enforced: { default_value: { numerator: 100 } },
      enable_x_ratelimit_headers: "DRAFT_VERSION_03",
    }),
  },
  {
    plugin: "jwt-claims-router",
    configuration: {
      copy: { "x-user": "sub" },
      rules: [
        {
          name: "gold",
          when: [{ claim: "tier", oneOf: ["gold", "platinum"] }],
          set: { "x-pool": "fast" },
        },
      ],
    },
    before: jwtAuthn({ payload_in_metadata: "jwt_payload" }),
    native: jwtAuthn({
      claim_to_headers: [
        { header_name: "x-user", claim_name: "sub" },
        { header_name: "x-tier", claim_name: "tier" },
      ],
      clear_route_cache: true,
    }),
    headers: [["authorization", `Bearer ${token()}`]],
  },
  {
    plugin: "cookie-canary",
    configuration: { percent: 5, key: { cookie: "session" } },
    headers: [["cookie", "theme=dark; session=0123456789abcdef"]],
  },
  {
    plugin: "request-tag",
    configuration: {
      rules: [
        { tag: "health", when: { path: { equals: ["/healthz", "/readyz"] } } },
        { tag: "write", when: { methods: ["POST", "PUT", "PATCH", "DELETE"] } },
        { tag: "asset", when: { path: { suffix: [".js", ".css", ".png"] } } },
      ],
    },
    path: "/static/site.css",
  },
  {
    plugin: "pii-redaction",
    configuration: { email: {}, card: { keepLast: 4 }, sides: "both" },
  },
];

export const folderOf = (plugin: string) =>
  resolve(import.meta.dirname, "../../../extensions", plugin);
