import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const HTML: readonly Header[] = [
  [":status", "200"],
  ["content-type", "text/html"],
];

interface Exchange {
  readonly scheme?: string;
  readonly path?: string;
  readonly request?: readonly Header[];
  readonly response?: readonly Header[];
}

/** The headers that a response has in the end, and those of its request. */
function exchange(configuration: object, options: Exchange = {}) {
  const { scheme = "https", path = "/", request = [], response = [] } = options;
  const stream = plugin.start(configuration).open();
  const sent: Header[] = [[":method", "GET"], [":path", path], [":scheme", scheme], ...request];
  const seen = stream.requestHeaders(sent).slice(3);
  const headers = stream.responseHeaders([...HTML, ...response]).slice(HTML.length);
  return { seen, headers, named: Object.fromEntries(headers) };
}

test("strict is for pages that load only their own", () => {
  expect(exchange({ preset: "strict" }).named).toEqual({
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "content-security-policy":
      "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy":
      "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
  });
});

test("api is for answers that no page shows", () => {
  expect(exchange({ preset: "api" }).named).toEqual({
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
  });
});

test("legacy is for pages that nobody has prepared, and none has nothing", () => {
  expect(exchange({ preset: "legacy" }).named).toEqual({
    "strict-transport-security": "max-age=31536000",
    "content-security-policy": "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin-allow-popups",
  });
  expect(exchange({ preset: "none" }).headers).toEqual([]);
});

test("a setting takes the place of the preset's, and an empty one leaves the header out", () => {
  const { named } = exchange({
    preset: "api",
    strictTransportSecurity: "max-age=60; includeSubDomains; preload",
    contentSecurityPolicy: "",
    contentSecurityPolicyReportOnly: "default-src 'self'; report-to csp",
    xContentTypeOptions: "",
    xFrameOptions: "",
    referrerPolicy: "",
    permissionsPolicy: "fullscreen=(self)",
    crossOriginOpenerPolicy: "same-origin",
    crossOriginEmbedderPolicy: "credentialless",
    crossOriginResourcePolicy: "cross-origin",
    reportingEndpoints: 'csp="https://reports.test/csp"',
  });
  expect(named).toEqual({
    "strict-transport-security": "max-age=60; includeSubDomains; preload",
    "content-security-policy-report-only": "default-src 'self'; report-to csp",
    "permissions-policy": "fullscreen=(self)",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "credentialless",
    "cross-origin-resource-policy": "cross-origin",
    "reporting-endpoints": 'csp="https://reports.test/csp"',
  });
});

test.each(["http", "HTTPS", "", "wss"])(
  "with the scheme %j nobody is told to stay on https",
  (scheme) => {
    const { named } = exchange({ preset: "legacy" }, { scheme });
    expect(named).not.toHaveProperty("strict-transport-security");
    expect(named).toHaveProperty("x-content-type-options");
  },
);

test("what the application sets stands, unless told otherwise", () => {
  const response: Header[] = [
    ["Content-Security-Policy", "default-src cdn.test"],
    ["content-security-policy", "frame-ancestors portal.test"],
    ["strict-transport-security", "max-age=0"],
  ];
  const own = exchange({ preset: "legacy" }, { response }).headers;
  expect(own.filter(([name]) => /^(content-sec|strict)/.test(name))).toEqual([
    ["content-security-policy", "default-src cdn.test"],
    ["content-security-policy", "frame-ancestors portal.test"],
    ["strict-transport-security", "max-age=0"],
  ]);
  const replaced = exchange({ preset: "legacy", overwrite: true }, { response }).headers;
  expect(replaced.filter(([name]) => /^(content-sec|strict)/.test(name))).toEqual([
    ["content-security-policy", "frame-ancestors 'self'"],
    ["strict-transport-security", "max-age=31536000"],
  ]);
});

test("what tells of the software is removed", () => {
  const response: Header[] = [
    ["server", "Apache/2.4.1"],
    ["X-Powered-By", "PHP/5.4"],
    ["x-powered-by", "Express"],
    ["x-generator", "Drupal"],
  ];
  expect(exchange({ preset: "none" }, { response }).headers).toEqual([["x-generator", "Drupal"]]);
  const remove = ["X-Generator"];
  expect(exchange({ preset: "none", remove }, { response }).headers).toEqual([
    ["server", "Apache/2.4.1"],
    ["x-powered-by", "PHP/5.4"],
    ["x-powered-by", "Express"],
  ]);
  expect(exchange({ preset: "none", remove: [] }, { response }).headers).toHaveLength(4);
});

test("each response has its nonce, in the policy and for the application", () => {
  const { open } = plugin.start({ preset: "strict", nonce: true });
  const nonces = Array.from({ length: 50 }, () => {
    const stream = open();
    const request = stream.requestHeaders([
      ["x-csp-nonce", "chosen"],
      ["X-CSP-Nonce", "again"],
    ]);
    expect(request).toEqual([["x-csp-nonce", expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/)]]);
    const [[, nonce] = []] = request;
    expect(stream.responseHeaders(HTML)).toHaveHeader(
      "content-security-policy",
      `default-src 'self'; script-src 'nonce-${nonce}' 'strict-dynamic'; base-uri 'self'; ` +
        "form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    );
    stream.close();
    return nonce;
  });
  expect(new Set(nonces).size).toBe(50);
});

test("a nonce stands wherever a policy has it, also of several streams at once", () => {
  const { open } = plugin.start({
    preset: "none",
    nonce: true,
    nonceHeader: "x-nonce",
    contentSecurityPolicy: "{nonce}",
    contentSecurityPolicyReportOnly: "script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'",
  });
  const streams = [open(), open()].map((stream) => {
    const [[, nonce] = []] = stream.requestHeaders([]);
    return { stream, nonce };
  });
  for (const { stream, nonce } of streams.toReversed()) {
    expect(stream.responseHeaders(HTML).slice(HTML.length)).toEqual([
      ["content-security-policy", nonce],
      [
        "content-security-policy-report-only",
        `script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`,
      ],
    ]);
  }
});

test("without chance no script is allowed, rather than one that anybody can guess", () => {
  const { host, open } = plugin.start({ preset: "strict", nonce: true });
  host.inject({ call: "random_get", status: 58 });
  const stream = open();
  expect(stream.requestHeaders([["x-csp-nonce", "chosen"]])).toEqual([]);
  const policy = new Map(stream.responseHeaders(HTML)).get("content-security-policy");
  expect(policy).toContain("script-src 'nonce-' 'strict-dynamic'");
});

test("only the responses of some requests get them", () => {
  const configuration = {
    preset: "strict",
    nonce: true,
    when: { path: { not: { prefix: "/embed/" } } },
  };
  const request: Header[] = [["x-csp-nonce", "chosen"]];
  const response: Header[] = [["server", "Apache"]];
  const embedded = exchange(configuration, { path: "/embed/1", request, response });
  expect([embedded.seen, embedded.headers]).toEqual([[], response]);
  expect(exchange(configuration, { path: "/", response }).named).not.toHaveProperty("server");
});

test("a response without a request gets all but what needs one", () => {
  const stream = plugin.start({ preset: "api" }).open();
  const headers = stream.responseHeaders([[":status", "400"]]);
  expect(headers).toHaveHeader("x-content-type-options", "nosniff");
  expect(headers).not.toHaveHeader("strict-transport-security");
});

test.each([
  [{}, "configuration needs preset"],
  [{ preset: "Strict" }, "preset: must be strict, api, legacy or none"],
  [{ preset: "api", referrerPolicy: "a\r\nset-cookie: b=c" }, "referrerPolicy holds a control"],
  [{ preset: "api", referrerPolicy: 7 }, "referrerPolicy: expected a string, found a number"],
  [
    { preset: "api", permissionsPolicy: "a".repeat(8_193) },
    "permissionsPolicy: must have at most 8192",
  ],
  [{ preset: "api", remove: ["content-length"] }, "remove[0] cannot be removed"],
  [{ preset: "api", remove: ["a", "b c"] }, "remove[1] cannot be removed"],
  [{ preset: "api", nonce: true }, "nonce is on, but no policy holds {nonce}"],
  [{ preset: "api", contentSecurityPolicy: "'nonce-{nonce}'" }, "configuration has {nonce} in a"],
  [{ preset: "api", nonceHeader: ":path" }, "configuration has a nonceHeader that cannot be set"],
  [
    { preset: "api", strictTransportSecurity: "includeSubDomains" },
    "configuration has strictTransportSecurity without max-age",
  ],
])("%j is refused", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toContain(`security-headers: ${problem}`);
});

test("memory stays flat over many requests", () => {
  const { host, open } = plugin.start({ preset: "strict", nonce: true });
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      const stream = open();
      stream.requestHeaders([[":scheme", "https"]]);
      stream.responseHeaders([...HTML, ["server", "Apache"]]);
      stream.close();
    }
  };
  run(1_000);
  const { pages } = host;
  run(20_000);
  expect(host.pages).toBe(pages);
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
