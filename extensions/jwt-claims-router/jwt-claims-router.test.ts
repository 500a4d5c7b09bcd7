import type { Property } from "@weft/sdk/host";
import { checkBudget, type Header, load, type StartedPlugin } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

type Claims = Readonly<Record<string, Property>>;

/** One request whose token jwt_authn has verified, or that has none. */
function asking(started: StartedPlugin, claims: Claims | null, headers: readonly Header[] = []) {
  const payload = { jwt_payload: { iss: "issuer", ...claims } };
  const filters = claims === null ? {} : { "envoy.filters.http.jwt_authn": payload };
  const stream = started.open({ properties: { metadata: { filter_metadata: filters } } });
  stream.requestHeaders([[":path", "/"], ...headers]);
  return stream;
}

/** Whether a condition holds for claims. */
function holds(condition: object, claims: Claims): boolean {
  const rules = [{ name: "it", when: [condition], set: { "x-it": "1" } }];
  const { request } = asking(plugin.start({ rules }), claims);
  return request.headers?.some(([name]) => name === "x-it") ?? false;
}

test.each([
  [{ claim: "tier", equals: "gold" }, { tier: "gold" }, true],
  [{ claim: "tier", equals: "gold" }, { tier: "golden" }, false],
  [{ claim: "tier", equals: "gold" }, { tier: "Gold" }, false],
  [{ claim: "tier", equals: "gold" }, { tier: ["gold"] }, false],
  [{ claim: "tier", equals: "gold" }, {}, false],
  [{ claim: "tier", equals: "" }, { tier: "" }, true],
  [{ claim: "tier", equals: "gold", not: true }, { tier: "tin" }, true],
  [{ claim: "tier", equals: "gold", not: true }, {}, true],
  [{ claim: "tier", oneOf: ["gold", "tin"] }, { tier: "tin" }, true],
  [{ claim: "tier", oneOf: ["gold", "tin"] }, { tier: "iron" }, false],
  [{ claim: "org.tenant", equals: "blue" }, { org: { tenant: "blue" } }, true],
  [{ claim: "org.tenant", equals: "blue" }, { "org.tenant": "blue" }, false],
  [
    { claim: "https://example\\.com/role", equals: "ops" },
    { "https://example.com/role": "ops" },
    true,
  ],
  [{ claim: "roles", contains: "ops" }, { roles: ["dev", "ops"] }, true],
  [{ claim: "roles", contains: "ops" }, { roles: ["devops"] }, false],
  [{ claim: "roles", contains: "ops" }, { roles: [] }, false],
  [{ claim: "roles", contains: "ops" }, { roles: "ops" }, true],
  [{ claim: "roles", contains: "ops" }, { roles: { ops: "1" } }, false],
  [{ claim: "roles", contains: "ops" }, {}, false],
  [{ claim: "scope", word: "read" }, { scope: "write read" }, true],
  [{ claim: "scope", word: "read" }, { scope: "read" }, true],
  [{ claim: "scope", word: "read" }, { scope: "readwrite unread" }, false],
  [{ claim: "level", atLeast: 3 }, { level: 3 }, true],
  [{ claim: "level", atLeast: 3 }, { level: 2.9 }, false],
  [{ claim: "level", atLeast: -1, atMost: 1.5 }, { level: 1.5 }, true],
  [{ claim: "level", atMost: 1.5 }, { level: 2 }, false],
  [{ claim: "level", atLeast: 3 }, { level: "4" }, false],
  [{ claim: "level", atLeast: 3 }, {}, false],
  [{ claim: "admin", is: "true" }, { admin: true }, true],
  [{ claim: "admin", is: "true" }, { admin: false }, false],
  [{ claim: "admin", is: "true" }, { admin: "true" }, false],
  [{ claim: "admin", is: "false" }, { admin: false }, true],
  [{ claim: "admin", is: "false" }, {}, false],
  [{ claim: "admin", is: "present" }, { admin: false }, true],
  [{ claim: "admin", is: "present" }, {}, false],
  [{ claim: "admin", is: "absent" }, {}, true],
] as const)("that %j holds for %j is %s", (condition, claims, expected) => {
  expect(holds(condition, claims as unknown as Claims)).toBe(expected);
});

test("a text that looks like a list of the host's is none", () => {
  const list = "\u0001\0\0\0\u0003\0\0\0\0\0\0\0ops\0\0";
  expect(holds({ claim: "name", contains: "ops" }, { name: list })).toBe(false);
});

test("the first rule whose conditions hold decides, and all of them must hold", () => {
  const rules = [
    {
      name: "both",
      when: [
        { claim: "a", equals: "1" },
        { claim: "b", equals: "1" },
      ],
      set: { "x-pool": "both" },
    },
    { name: "one", when: [{ claim: "a", equals: "1" }], set: { "x-pool": "one" } },
  ];
  const started = plugin.start({ rules, otherwise: { set: { "x-pool": "none" } } });
  const poolOf = (claims: Claims) => asking(started, claims).request;
  expect(poolOf({ a: "1", b: "1" })).toHaveHeader("x-pool", "both");
  expect(poolOf({ a: "1" })).toHaveHeader("x-pool", "one");
  expect(poolOf({ b: "1" })).toHaveHeader("x-pool", "none");
  expect([...started.host.counters]).toEqual([
    ["jwt_router_requests_total.rule=.=otherwise;.;", 1n],
    ["jwt_router_requests_total.rule=.=missing;.;", 0n],
    ["jwt_router_requests_total.rule=.=both;.;", 1n],
    ["jwt_router_requests_total.rule=.=one;.;", 1n],
  ]);
});

test("no header that the plugin sets comes from outside, whatever decides", () => {
  const started = plugin.start({
    copy: { "X-User": "sub" },
    rules: [
      {
        name: "gold",
        when: [{ claim: "tier", equals: "gold" }],
        set: { "x-pool": "fast" },
      },
    ],
  });
  const forged: Header[] = [
    ["x-user", "root"],
    ["x-pool", "fast"],
    ["x-pool", "faster"],
    ["x-userland", "kept"],
  ];
  expect(asking(started, { tier: "tin" }, forged).request.headers).toEqual([
    [":path", "/"],
    ["x-userland", "kept"],
  ]);
  expect(asking(started, { tier: "gold", sub: "ann" }, forged).request.headers).toEqual([
    [":path", "/"],
    ["x-userland", "kept"],
    ["x-user", "ann"],
    ["x-pool", "fast"],
  ]);
});

test("a claim is copied if it is a text that a header can have", () => {
  const started = plugin.start({ copy: { "x-a": "a" } });
  expect(asking(started, { a: "ä b" }).request).toHaveHeader("x-a", "ä b");
  for (const a of ["x\r\nx-admin: 1", ["x"], 42, true, "a\0b"]) {
    expect(asking(started, { a }).request.headers).toEqual([[":path", "/"]]);
  }
  expect([...started.host.counters]).toContainEqual([
    "jwt_router_uncopied_total.header=.=x-a;.;",
    5n,
  ]);
});

test("a denial tells its reason, and sets nothing", () => {
  const rules = [{ name: "out", when: [{ claim: "out", is: "true" }], deny: "suspended" }];
  const stream = asking(plugin.start({ rules, copy: { "x-user": "sub" } }), {
    out: true,
    sub: "a",
  });
  expect(stream).toRespond(403, "suspended");
  expect(stream.localResponse?.details).toBe("jwt_claims_denied");
  expect(stream.request).toPause();
});

test("without a verified token nobody comes in, unless that is allowed", () => {
  const rules = [{ name: "any", when: [{ claim: "x", is: "absent" }], set: { "x-a": "1" } }];
  const strict = plugin.start({ rules });
  expect(asking(strict, null)).toRespond(403, "no verified token\n");
  const open = plugin.start({ rules, allowMissing: true, otherwise: { set: { "x-a": "2" } } });
  expect(asking(open, null, [["x-a", "1"]]).request).toHaveHeader("x-a", "2");
  const closed = plugin.start({ rules, allowMissing: true, otherwise: { deny: "who?" } });
  expect(asking(closed, null)).toRespond(403, "who?");
  expect(asking(closed, {}).request).toHaveHeader("x-a", "1");
});

test("the claims may lie elsewhere", () => {
  const started = plugin.start({ namespace: "custom", payload: "p", copy: { "x-user": "sub" } });
  const metadata = { filter_metadata: { custom: { p: { sub: "ann" } } } };
  const stream = started.open({ properties: { metadata } });
  stream.requestHeaders([[":path", "/"]]);
  expect(stream.request).toHaveHeader("x-user", "ann");
});

const when = [{ claim: "a", is: "present" }];

test.each([
  [{ rules: [{ name: "a" }] }, "rules[0] needs when"],
  [{ rules: [{ name: "a", when: [] }] }, "rules[0].when: must have at least 1 items"],
  [
    { rules: [{ name: "a", when: [{ claim: "a" }] }] },
    "rules[0].when[0] must have one of equals, oneOf, contains, word, is, atLeast with atMost",
  ],
  [
    { rules: [{ name: "a", when: [{ claim: "a", equals: "b", word: "c" }] }] },
    "rules[0].when[0] must have one of equals, oneOf, contains, word, is, atLeast with atMost",
  ],
  [
    { rules: [{ name: "a", when: [{ claim: "a..b", is: "present" }] }] },
    "rules[0].when[0].claim has a name that is empty",
  ],
  [
    { rules: [{ name: "a", when: [{ claim: "a", is: "maybe" }] }] },
    "rules[0].when[0].is must be present, absent, true or false",
  ],
  [{ rules: [{ name: "a", when, set: { ":path": "/" } }] }, "rules[0].set.:path is no header name"],
  [{ rules: [{ name: "a", when, set: { Host: "x" } }] }, "rules[0].set.Host is the proxy's own"],
  [{ copy: { "x-a": "a", "X-A": "b" } }, "copy.X-A is given twice"],
  [{ otherwise: { set: { "x-a": "a\n" } } }, "otherwise.set.x-a holds a control character"],
])("the configuration %j is refused: %s", (configuration, problem) => {
  expect(plugin.refusal(configuration).replace(/, at byte \d+$/, "")).toBe(
    `jwt-claims-router: ${problem}`,
  );
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
