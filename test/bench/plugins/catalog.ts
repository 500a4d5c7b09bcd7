import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { extension, type Filter } from "../../world/filter-envoy.ts";

/** A plugin of the catalog, and the filter of Envoy's own that does the same. */
export interface Entry {
  /** Its folder in extensions/. */
  readonly plugin: string;
  readonly configuration: object;
  /** Absent where Envoy has none. */
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

/** What the preset `strict` puts on responses is said again here: Envoy has no presets. */
const TYPICAL = [
  ["strict-transport-security", "max-age=31536000; includeSubDomains"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "strict-origin-when-cross-origin"],
] as const;

const entries: readonly Entry[] = [
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
    configuration: { preset: "strict" },
    native: filter("header_mutation", "header_mutation.v3.HeaderMutation", {
      mutations: { response_mutations: TYPICAL.map(([key, value]) => append(key, value)) },
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

const folderOf = (plugin: string) => resolve(import.meta.dirname, "../../../extensions", plugin);

/** The plugins that are there. */
export const catalog = entries
  .map((entry) => ({ ...entry, folder: folderOf(entry.plugin) }))
  .filter(({ folder }) => existsSync(folder));
