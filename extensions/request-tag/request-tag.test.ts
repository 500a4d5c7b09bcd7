import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const rules = [
  { tag: "health", when: { path: ["/healthz", "/readyz"] } },
  { tag: "admin", when: { path: { prefix: "/admin/" }, headers: { "x-role": "admin" } } },
  { tag: "write", when: { methods: ["POST", "PUT", "PATCH", "DELETE"] } },
  { tag: "export", when: { query: { format: { equals: ["csv", "xlsx"] } } } },
  { tag: "asset", when: { path: { suffix: [".js", ".css"] } } },
  { tag: "member", when: { cookies: { session: { present: true } } } },
].map(({ tag, when }) => ({
  tag,
  when: "path" in when && Array.isArray(when.path) ? { path: { equals: when.path } } : when,
}));

function request(path: string, headers: readonly Header[] = [], method = "GET"): Header[] {
  return [[":method", method], [":path", path], [":authority", "shop"], ...headers];
}

function tagOf(headers: readonly Header[], configuration: object = { rules }): string | undefined {
  const all = plugin.start(configuration).open().requestHeaders(headers);
  const tags = all.filter(([name]) => name === "x-request-tag");
  expect(tags.length).toBeLessThan(2);
  return tags[0]?.[1];
}

test.each<[string, string, Header[], string]>([
  ["health", "/healthz", [], "GET"],
  ["health", "/readyz?verbose=1", [], "POST"],
  ["admin", "/admin/users", [["x-role", "admin"]], "GET"],
  ["other", "/admin/users", [], "GET"],
  [
    "other",
    "/admin/users",
    [
      ["x-role", "user"],
      ["x-role", "admin"],
    ],
    "GET",
  ],
  ["write", "/orders", [], "POST"],
  ["export", "/orders?format=csv", [], "GET"],
  ["export", "/orders?a=b&format=x%6csx", [], "GET"],
  ["asset", "/app.js?v=7", [], "GET"],
  ["member", "/", [["cookie", "a=b; session=s"]], "GET"],
  ["other", "/", [], "GET"],
])("the tag %s is that of %s with %j, %s", (tag, path, headers, method) => {
  expect(tagOf(request(path, headers, method))).toBe(tag);
});

test("the first rule that holds decides", () => {
  expect(tagOf(request("/app.js?format=csv", [["cookie", "session=s"]]))).toBe("export");
});

test("no tag is forged, whether one is given or none", () => {
  const forged: Header[] = [
    ["X-Request-Tag", "admin"],
    ["x-request-tag", "health"],
  ];
  expect(tagOf(request("/", forged))).toBe("other");
  expect(tagOf(request("/", forged), { rules, defaultTag: "" })).toBeUndefined();
});

test("requests are counted by tag and class of the answer, once", () => {
  const { host, open } = plugin.start({ rules });
  const exchange = (path: string, status?: string) => {
    const stream = open();
    stream.requestHeaders(request(path));
    if (status !== undefined) stream.responseHeaders([[":status", status]]);
    stream.close();
  };
  exchange("/healthz", "200");
  exchange("/healthz", "204");
  exchange("/healthz", "503");
  exchange("/", "404");
  exchange("/");
  open().close();
  const counts = [...host.counters].map(([name, count]) => {
    const [, tag, kind] =
      /^request_tag_requests_total\.tag=\.=(.*?);\.;class=\.=(.*?);\.;$/.exec(name) ?? [];
    return [tag, kind, count];
  });
  expect(counts).toEqual([
    ["health", "2xx", 2n],
    ["health", "5xx", 1n],
    ["other", "4xx", 1n],
    ["other", "none", 1n],
  ]);
});

test("a plugin that does not count has no counters", () => {
  const { host, open } = plugin.start({ rules, count: false });
  const stream = open();
  stream.requestHeaders(request("/"));
  stream.responseHeaders([[":status", "200"]]);
  stream.close();
  expect(host.counters.size).toBe(0);
});

test("the tag goes where it is told to", () => {
  const own = { rules, header: "X-Kind", respond: true, property: "kind" };
  const stream = plugin.start(own).open();
  expect(stream.requestHeaders(request("/healthz"))).toHaveHeader("x-kind", "health");
  expect(
    stream.responseHeaders([
      [":status", "200"],
      ["x-kind", "upstream's"],
    ]),
  ).toEqual([
    [":status", "200"],
    ["x-kind", "health"],
  ]);
  const silent = plugin.start({ rules, header: "", respond: true }).open();
  expect(silent.requestHeaders(request("/healthz"))).toEqual(request("/healthz"));
  expect(silent.responseHeaders([[":status", "200"]])).toEqual([[":status", "200"]]);
});

test("what is told to nobody costs nothing", () => {
  const { host, open } = plugin.start({ rules, property: "" });
  open().requestHeaders(request("/"));
  expect(host.callCounts.get("proxy_set_property")).toBeUndefined();
  expect(host.callCounts.get("proxy_get_header_map_pairs")).toBe(1);
});

test.each([
  [{}, "configuration needs rules"],
  [{ rules: [] }, "rules: must have at least 1 items"],
  [{ rules: [{ tag: "a" }] }, "rules[0] needs when"],
  [{ rules: [{ when: {} }] }, "rules[0] needs tag"],
  [{ rules: [{ tag: "", when: {} }] }, "rules[0].tag: must have at least 1 bytes"],
  [{ rules: [{ tag: "a\nb", when: {} }] }, "rules[0] has a tag with a control character"],
  [{ rules, defaultTag: "\u0000" }, "configuration has a defaultTag with a control character"],
  [{ rules, header: ":path" }, "configuration has a header that cannot be set"],
  [{ rules, header: "Content-Length" }, "configuration has a header that cannot be set"],
  [{ rules, header: "", property: "", count: false }, "configuration tags requests for nobody"],
  [
    { rules: [{ tag: "a", when: { path: { regex: "x" } } }] },
    "rules[0].when.path.regex is no match",
  ],
])("%j is refused", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toContain(`request-tag: ${problem}`);
});

test("memory stays flat over many requests", () => {
  const { host, open } = plugin.start({ rules });
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      const stream = open();
      stream.requestHeaders(request(`/orders/${i}?format=%41`, [["cookie", "session=s"]]));
      stream.responseHeaders([[":status", "200"]]);
      stream.close();
    }
  };
  run(1_000);
  const { pages } = host;
  run(20_000);
  expect(host.pages).toBe(pages);
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
