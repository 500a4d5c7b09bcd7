import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const REQUEST: readonly Header[] = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "shop"],
];

/** A started plugin, and what it makes of an exchange: the version and the cookies it sets. */
function canary(configuration: object, seed = 1) {
  const { host, open } = plugin.start(configuration, { seed });
  const exchange = (headers: readonly Header[] = [], status = "200") => {
    const stream = open();
    const request = stream.requestHeaders([...REQUEST, ...headers]).slice(REQUEST.length);
    const response = stream.responseHeaders([[":status", status]]);
    stream.close();
    const versions = request.filter(([name]) => name === "x-canary");
    expect(versions.length).toBeLessThan(2);
    const cookies = response.flatMap(([name, value]) => (name === "set-cookie" ? [value] : []));
    return { version: versions[0]?.[1], cookies, request, response };
  };
  const versionOf = (...headers: Header[]) => exchange(headers).version;
  return { host, exchange, versionOf };
}

const byUser = (percent: number) => ({ percent, key: { header: "x-user" } });
const user = (name: string): Header => ["x-user", name];
const users = Array.from({ length: 2_000 }, (_, i) => `user-${i}@shop.test`);

test.each([
  [0, "stable"],
  [100, "canary"],
])("at %d percent everybody gets %s, and no cookie", (percent, version) => {
  const { versionOf, exchange } = canary(byUser(percent));
  expect(new Set(users.map((name) => versionOf(user(name))))).toEqual(new Set([version]));
  expect(exchange()).toMatchObject({ version, cookies: [] });
});

test.each([0.5, 1, 10, 50, 90, 99.9])("about %d percent of the users get the canary", (percent) => {
  const { versionOf } = canary(byUser(percent));
  const share = users.filter((name) => versionOf(user(name)) === "canary").length / users.length;
  // Three standard deviations of so many throws.
  const deviation = Math.sqrt(((percent / 100) * (1 - percent / 100)) / users.length);
  expect(Math.abs(share - percent / 100)).toBeLessThan(3 * deviation);
});

test("nobody leaves the canary as it grows, and nobody is moved twice", () => {
  const steps = [0, 0.01, 1, 10, 25, 50, 99, 100].map((percent) => canary(byUser(percent)));
  for (const name of users.slice(0, 500)) {
    const versions = steps.map(({ versionOf }) => versionOf(user(name)));
    expect(versions.toSorted((a, b) => Number(a === "canary") - Number(b === "canary"))).toEqual(
      versions,
    );
  }
});

test("a user is the same in every VM, by header or by cookie", () => {
  const [first, second] = [canary(byUser(50), 1), canary(byUser(50), 2)];
  const byCookie = canary({ percent: 50, key: { header: "x-user", cookie: "session" } });
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{1,20}$/), (name) => {
      const version = first.versionOf(user(name));
      expect(second.versionOf(user(name))).toBe(version);
      expect(byCookie.versionOf(["cookie", `a=b; session=${name}`])).toBe(version);
      expect(byCookie.versionOf(["cookie", "session=other"], user(name))).toBe(version);
    }),
  );
});

test("users fall differently under another name", () => {
  const [first, second] = ["a", "b"].map((name) => canary({ ...byUser(50), name }));
  const same = users.filter(
    (each) => first?.versionOf(user(each)) === second?.versionOf(user(each)),
  );
  expect(same.length / users.length).toBeGreaterThan(0.45);
  expect(same.length / users.length).toBeLessThan(0.55);
});

test("who has no key draws a bucket, keeps it in a cookie and is never sent another", () => {
  const { exchange } = canary({ percent: 30 });
  const drawn = Array.from({ length: 1_000 }, () => exchange());
  expect(drawn.filter(({ version }) => version === "canary").length).toBeGreaterThan(250);
  expect(drawn.filter(({ version }) => version === "canary").length).toBeLessThan(350);
  const grown = canary({ percent: 60 });
  for (const { version, cookies } of drawn) {
    const [, pair = "", attributes] = /^(canary=\d+)(; .*)$/.exec(cookies.join()) ?? [];
    expect(attributes).toBe("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
    expect(exchange([["cookie", `x=y; ${pair}`]])).toMatchObject({ version, cookies: [] });
    const later = grown.versionOf(["cookie", pair]);
    if (version === "canary") expect(later).toBe("canary");
  }
});

test.each(["-1", "10000", "99999999999999999999", "", "canary", "0x1", "1;2"])(
  "the bucket %j is none, and another is drawn",
  (value) => {
    const { exchange } = canary({ percent: 50 });
    const { cookies } = exchange([["cookie", `canary=${value}`]]);
    expect(cookies.length).toBe(value === "1;2" ? 0 : 1);
  },
);

test("the cookie is written as it is set up", () => {
  const cookie = {
    name: "side",
    maxAgeSeconds: 0,
    path: "/shop",
    domain: "shop.test",
    secure: false,
    sameSite: "Strict",
  };
  const { cookies } = canary({ percent: 50, cookie }).exchange();
  expect(cookies.join()).toMatch(
    /^side=\d+; Path=\/shop; Domain=shop\.test; HttpOnly; SameSite=Strict$/,
  );
});

test("without a cookie, who has no key gets the stable version", () => {
  const { exchange } = canary({ ...byUser(99.99), cookie: { name: "" } });
  expect(exchange()).toMatchObject({ version: "stable", cookies: [] });
});

test.each<[string, Header[], string]>([
  ["canary", [["x-test", "canary:s3"]], ""],
  ["stable", [["x-test", "stable:s3"]], ""],
  ["canary", [["cookie", "a=b; test=canary:s3"]], ""],
  [
    "stable",
    [
      ["x-test", "stable:s3"],
      ["cookie", "test=canary:s3"],
    ],
    "",
  ],
])("a tester gets %s with %j", (version, headers) => {
  const testers = { header: "x-test", cookie: "test", secret: "s3" };
  for (const percent of [0, 50, 100]) {
    const { exchange } = canary({ percent, testers });
    const { version: given, request, cookies } = exchange(headers);
    expect([given, cookies]).toEqual([version, []]);
    // The secret is for this plugin alone.
    expect(request.map(([name]) => name)).not.toContain("x-test");
  }
});

test.each([
  "canary",
  "canary:",
  "canary:s",
  "canary:s33",
  "canary:S3",
  "canary s3",
  "Canary:s3",
  "s3",
  "",
])("%j is no tester's word where there is a secret", (value) => {
  const { versionOf } = canary({ percent: 0, testers: { header: "x-test", secret: "s3" } });
  expect(versionOf(["x-test", value])).toBe("stable");
  expect(versionOf(["x-test", value], ["x-test", "canary:s3"])).toBe("stable");
});

test("without a secret a tester names the version alone", () => {
  const { versionOf } = canary({ percent: 0, testers: { header: "x-test" } });
  expect(versionOf(["x-test", "canary"])).toBe("canary");
  expect(versionOf(["x-test", "canary:"])).toBe("stable");
  expect(versionOf(["x-test", "canaryx"])).toBe("stable");
});

test("no version is forged, whether a request takes part or not", () => {
  const when = { path: { not: { prefix: "/health" } } };
  const { versionOf } = canary({ percent: 0, when });
  expect(versionOf(["X-Canary", "canary"], ["x-canary", "canary"])).toBe("stable");
  expect(versionOf([":path", "/healthz"], ["x-canary", "canary"])).toBe("stable");
  const { open } = plugin.start({ percent: 50, when });
  const stream = open();
  const healthz: Header[] = [
    [":method", "GET"],
    [":path", "/healthz"],
  ];
  expect(stream.requestHeaders([...healthz, ["x-canary", "canary"]])).toEqual(healthz);
  expect(stream.responseHeaders([[":status", "200"]])).toEqual([[":status", "200"]]);
});

test("requests are counted by version and class, once they end", () => {
  const { host, exchange } = canary({ percent: 100, name: "v2", testers: { header: "x-test" } });
  exchange();
  exchange([], "503");
  exchange([["x-test", "stable"]], "404");
  const counted = [...host.counters].filter(([, count]) => count > 0n);
  expect(counted).toEqual([
    ["canary_requests_total.canary=.=v2;.;version=.=stable;.;class=.=4xx;.;", 1n],
    ["canary_requests_total.canary=.=v2;.;version=.=canary;.;class=.=2xx;.;", 1n],
    ["canary_requests_total.canary=.=v2;.;version=.=canary;.;class=.=5xx;.;", 1n],
  ]);
});

test("the response tells the version if it is to", () => {
  const { exchange } = canary({ percent: 100, respond: true, header: "X-Version" });
  expect(exchange().response).toHaveHeader("x-version", "canary");
});

test.each([
  [{}, "configuration needs percent"],
  [{ percent: 101 }, "percent: must be at most 100"],
  [{ percent: -0.1 }, "percent: must be at least 0"],
  [{ percent: 5, header: ":path" }, "configuration has a header that cannot be used"],
  [{ percent: 5, name: "a\tb\n" }, "configuration has a name with a control character"],
  [{ percent: 5, key: { header: "a b" } }, "key has a header that cannot be used"],
  [{ percent: 5, cookie: { name: "a=b" } }, "cookie has a name that is none"],
  [{ percent: 5, cookie: { path: "/; Domain=evil.test" } }, "cookie has a path or domain with"],
  [{ percent: 5, cookie: { domain: "a\r\nset-cookie: x" } }, "cookie has a path or domain with"],
  [{ percent: 5, cookie: { sameSite: "lax" } }, "cookie.sameSite: must be Lax, Strict or None"],
  [{ percent: 5, cookie: { sameSite: "None", secure: false } }, "cookie has sameSite None, which"],
  [{ percent: 5, testers: {} }, "testers names no header and no cookie"],
])("%j is refused", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toContain(`cookie-canary: ${problem}`);
});

test("memory stays flat over many requests", () => {
  const { host, exchange } = canary({ percent: 50 });
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) exchange([["cookie", i % 2 === 0 ? "a=b" : "canary=77"]]);
  };
  run(1_000);
  const { pages } = host;
  run(20_000);
  expect(host.pages).toBe(pages);
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
