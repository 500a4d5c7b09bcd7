import { createWorld } from "@weft/sdk/host";
import { checkBudget, type Header, type Host, load, type StartedPlugin } from "@weft/sdk/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

interface Asked {
  readonly path?: string;
  readonly headers?: readonly Header[];
  readonly client?: string;
}

/** One request through a plugin, and its response where it gets one. */
function asking(started: StartedPlugin, { path = "/", headers = [], client }: Asked = {}) {
  const properties = client === undefined ? {} : { source: { address: client } };
  const stream = started.open({ properties });
  stream.requestHeaders([[":path", path], [":method", "GET"], ...headers]);
  if (stream.localResponse === null) stream.responseHeaders([[":status", "200"]]);
  stream.close();
  return stream;
}

/** How many of so many requests pass. */
function passing(started: StartedPlugin, count: number, asked?: Asked): number {
  let passed = 0;
  for (let i = 0; i < count; i++) if (asking(started, asked).localResponse === null) passed++;
  return passed;
}

test("as many come at once as fit in the bucket, and later as many as have been filled in", () => {
  const started = plugin.start({ rules: [{ name: "all", requests: 4, burst: 10 }] });
  expect(passing(started, 20)).toBe(10);
  started.host.advance(249);
  expect(passing(started, 1)).toBe(0);
  started.host.advance(1);
  expect(passing(started, 2)).toBe(1);
  started.host.advance(1_000);
  expect(passing(started, 10)).toBe(4);
  started.host.advance(1_000_000);
  expect(passing(started, 20)).toBe(10);
});

test("who is denied is told when to come again", () => {
  const started = plugin.start({ rules: [{ name: "all", requests: 2, per: "minute" }] });
  passing(started, 2);
  const stream = asking(started);
  expect(stream).toRespond(429, "too many requests\n");
  expect(stream.localResponse?.headers).toEqual([["retry-after", "30"]]);
  expect(stream.response).toHaveHeader("x-ratelimit-remaining", "0");
  started.host.advance(29_999);
  expect(asking(started).localResponse?.headers).toEqual([["retry-after", "1"]]);
  started.host.advance(1);
  expect(asking(started).localResponse).toBeNull();
});

test("a response tells what the tightest rule leaves", () => {
  const rules = [
    { name: "all", requests: 100 },
    { name: "client", by: ["client"], requests: 1, per: "minute", burst: 3 },
  ];
  const { response } = asking(plugin.start({ rules }), { client: "10.0.0.1:5" });
  expect(response.headers?.slice(1)).toEqual([
    ["x-ratelimit-limit", "3"],
    ["x-ratelimit-remaining", "2"],
    ["x-ratelimit-reset", "60"],
  ]);
  const quiet = asking(plugin.start({ rules, headers: false }));
  expect(quiet.response.headers).toEqual([[":status", "200"]]);
});

test("clients are told apart by address, whatever their port; IPv6 by network", () => {
  const rules = [{ name: "client", by: ["client"], requests: 1, per: "hour" }];
  const started = plugin.start({ rules });
  const pass = (client: string) => passing(started, 1, { client }) === 1;
  expect(pass("10.0.0.1:1000")).toBe(true);
  expect(pass("10.0.0.1:2000")).toBe(false);
  expect(pass("10.0.0.2:1000")).toBe(true);
  expect(pass("[2001:db8::1]:1000")).toBe(true);
  expect(pass("[2001:db8::ffff:2]:1000")).toBe(false);
  expect(pass("[2001:db8:0:1::1]:1000")).toBe(true);
  expect(pass("/var/run/socket")).toBe(true);
});

test("a header that is repeated is another key than either of its values", () => {
  const rules = [{ name: "tenant", by: ["header:X-Tenant", "path"], requests: 1, per: "hour" }];
  const started = plugin.start({ rules });
  const pass = (path: string, ...values: string[]) =>
    passing(started, 1, { path, headers: values.map((value): Header => ["x-tenant", value]) });
  expect([pass("/", "a"), pass("/", "a"), pass("/?x", "a")]).toEqual([1, 0, 0]);
  expect([pass("/", "b"), pass("/b", "a"), pass("/", "a", "b"), pass("/")]).toEqual([1, 1, 1, 1]);
});

test("however many keys there are, there are no more buckets", () => {
  const rules = [{ name: "key", by: ["header:x-key"], requests: 1, per: "hour", buckets: 16 }];
  const kept = new Set<string>();
  const plain = createWorld();
  const set: typeof plain.shared.set = (entry) => {
    kept.add(entry.key);
    return plain.shared.set(entry);
  };
  const world = { ...plain, shared: { ...plain.shared, set } };
  const started = plugin.start({ rules }, { world });
  let passed = 0;
  for (let i = 0; i < 1_000; i++) {
    passed += passing(started, 1, { headers: [["x-key", `key ${i}`]] });
  }
  expect(passed).toBe(16);
  // And the seed that all workers share.
  expect(kept.size).toBe(17);
});

test("a rule is about the requests that it fits", () => {
  const match = { paths: ["/login", "/api/*"], methods: ["GET"], header: "x-a", value: "1" };
  const started = plugin.start({ rules: [{ name: "some", match, requests: 1, per: "hour" }] });
  const headers: Header[] = [
    ["x-a", "2"],
    ["x-a", "1"],
  ];
  expect(passing(started, 5, { path: "/login/", headers })).toBe(5);
  expect(passing(started, 5, { path: "/login", headers: [["x-a", "2"]] })).toBe(5);
  expect(passing(started, 5, { path: "/login?a", headers })).toBe(1);
  expect(passing(started, 5, { path: "/api/x", headers })).toBe(0);
  // What an upstream might read as /login is limited as well.
  for (const path of ["//login", "/%6cogin", "/x/../login"]) {
    expect(passing(started, 5, { path, headers })).toBe(0);
  }
});

test("the first rule that denies takes nothing from those behind it", () => {
  const rules = [
    { name: "client", by: ["client"], requests: 1, per: "hour" },
    { name: "all", requests: 2, per: "hour" },
  ];
  const started = plugin.start({ rules });
  expect(passing(started, 10, { client: "10.0.0.1:1" })).toBe(1);
  expect(passing(started, 1, { client: "10.0.0.2:1" })).toBe(1);
  expect(passing(started, 1, { client: "10.0.0.3:1" })).toBe(0);
});

test("a dry run lets all pass and counts what it would deny", () => {
  const started = plugin.start({ rules: [{ name: "all", requests: 2 }], dryRun: true });
  expect(passing(started, 5)).toBe(5);
  expect([...started.host.counters]).toEqual([
    ["rate_limit_requests_total.rule=.=all;.;verdict=.=allowed;.;", 2n],
    ["rate_limit_requests_total.rule=.=all;.;verdict=.=denied;.;", 3n],
    ["rate_limit_requests_total.rule=.=all;.;verdict=.=contended;.;", 0n],
  ]);
});

test("workers share their buckets, and plugins of another name have their own", () => {
  const configuration = { rules: [{ name: "all", requests: 3, by: ["client"], per: "hour" }] };
  const world = createWorld();
  const workers = [1, 2, 3].map(() => plugin.start(configuration, { world, name: "one" }));
  expect(workers.map((worker) => passing(worker, 2, { client: "10.0.0.1:1" }))).toEqual([2, 1, 0]);
  const other = plugin.start(configuration, { world, name: "other" });
  expect(passing(other, 4, { client: "10.0.0.1:1" })).toBe(3);
});

test("a request that loses against others each time does not pass", () => {
  const prepare = (host: Host) => host.inject({ call: "proxy_set_shared_data", status: 8 });
  const started = plugin.start({ rules: [{ name: "all", requests: 3 }] }, { prepare });
  expect(passing(started, 1)).toBe(0);
  expect(started.host.callCounts.get("proxy_set_shared_data")).toBe(33);
  expect([...started.host.counters]).toContainEqual([
    "rate_limit_requests_total.rule=.=all;.;verdict=.=contended;.;",
    1n,
  ]);
});

test("never do more pass in any span of time than its bound, and nothing drifts", () => {
  const settings = fc.record({
    requests: fc.integer({ min: 1, max: 1_000 }),
    burst: fc.integer({ min: 1, max: 20 }),
    per: fc.constantFrom("second", "minute"),
    waitsMs: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(settings, ({ requests, burst, per, waitsMs }) => {
      const started = plugin.start({ rules: [{ name: "all", requests, burst, per }] });
      const periodMs = per === "second" ? 1_000 : 60_000;
      // The same bucket, in whole parts of which a token has as many as the unit milliseconds.
      let level = burst * periodMs;
      for (const wait of waitsMs) {
        started.host.advance(wait);
        level = Math.min(burst * periodMs, level + wait * requests);
        const expected = level >= periodMs;
        expect(passing(started, 1)).toBe(expected ? 1 : 0);
        if (expected) level -= periodMs;
      }
    }),
    { numRuns: 60 },
  );
});

test("the greatest numbers do not overflow", () => {
  const rule = { name: "all", requests: 1, burst: 1_000_000, per: "hour" };
  const started = plugin.start({ rules: [rule] });
  const { response } = asking(started);
  expect(response).toHaveHeader("x-ratelimit-remaining", "999999");
  expect(response).toHaveHeader("x-ratelimit-reset", "3600");
  const fast = plugin.start({ rules: [{ name: "all", requests: 1_000_000, burst: 1 }] });
  expect(passing(fast, 2)).toBe(1);
  fast.host.advance(1);
  expect(passing(fast, 2)).toBe(1);
});

test.each([
  [{}, "configuration needs rules, at byte 2"],
  [{ rules: [] }, "rules: must have at least 1 items, at byte 11"],
  [{ rules: [{ requests: 1 }] }, "rules[0] needs name, at byte 24"],
  [{ rules: [{ name: "a", requests: 0 }] }, "rules[0].requests: must be at least 1, at byte 34"],
  [
    { rules: [{ name: "a", requests: 1, per: "day" }] },
    "rules[0].per must be second, minute or hour, at byte 36",
  ],
  [
    { rules: [{ name: "a", requests: 1, by: ["ip"] }] },
    "rules[0].by[0] must be client, path, method, host or header:<name>, at byte 42",
  ],
  [
    { rules: [{ name: "a", requests: 1, match: { paths: ["a"] } }] },
    "rules[0].match must have paths that begin with / and have a * at the end only, at byte 36",
  ],
  [
    {
      rules: [
        { name: "a", requests: 1 },
        { name: "a", requests: 2 },
      ],
    },
    "configuration has two rules of one name, at byte 64",
  ],
])("the configuration %j is refused: %s", (configuration, problem) => {
  const place = /, at byte \d+$/;
  expect(plugin.refusal(configuration).replace(place, "")).toBe(
    `local-rate-limit: ${problem.replace(place, "")}`,
  );
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
