import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

const REQUEST: readonly Header[] = [
  [":method", "GET"],
  [":path", "/api/v1?tenant=blue%20sea&page=2"],
  [":authority", "shop"],
];

/** What a rule, or several, make of the headers of a request beside those that route it. */
function transformed(rules: object, headers: readonly Header[] = [], path = REQUEST[1]?.[1] ?? "") {
  const stream = plugin.start({ request: [rules].flat() }).open({
    properties: {
      source: { address: "10.0.0.1:80", port: 4711n },
      metadata: { filter_metadata: { "envoy.lb": { canary: "yes" } } },
      bad: "a\r\nx-forged: 1",
    },
  });
  const sent: Header[] = [[":method", "GET"], [":path", path], ...headers];
  return stream.requestHeaders(sent).slice(2);
}

/** What rules make of the headers of a response, behind its status. */
function answered(rules: object, request: readonly Header[], response: readonly Header[]) {
  const stream = plugin.start({ response: [rules].flat() }).open();
  stream.requestHeaders([...REQUEST, ...request]);
  return stream.responseHeaders(response).slice(1);
}

test("set takes the place of all values, append adds one, and addIfAbsent only where none is", () => {
  const rule = {
    set: { "x-a": "1" },
    append: { "x-b": "2" },
    addIfAbsent: { "x-c": "3", "x-d": "4" },
  };
  const headers: Header[] = [
    ["x-a", "forged"],
    ["x-a", "twice"],
    ["x-b", "1"],
    ["x-c", "there"],
  ];
  expect(transformed(rule, headers)).toEqual([
    ["x-a", "1"],
    ["x-b", "1"],
    ["x-c", "there"],
    ["x-b", "2"],
    ["x-d", "4"],
  ]);
});

test("remove takes all values, by name or by how names begin", () => {
  const headers: Header[] = [
    ["x-debug-a", "1"],
    ["accept", "*/*"],
    ["x-debug-b", "2"],
    ["x-user", "ann"],
    ["x-user", "bob"],
    ["x-debu", "3"],
  ];
  expect(transformed({ remove: ["X-User", "X-Debug-*", "x-none"] }, headers)).toEqual([
    ["accept", "*/*"],
    ["x-debu", "3"],
  ]);
});

test("no pattern removes what frames a message or routes it", () => {
  const headers: Header[] = [
    ["content-length", "3"],
    ["connection", "close"],
    ["cookie", "a=b"],
  ];
  expect(transformed({ remove: ["c*"] }, headers)).toEqual(headers.slice(0, 2));
});

test("rename moves all values, and what had the new name goes", () => {
  const headers: Header[] = [
    ["x-old", "1"],
    ["x-new", "forged"],
    ["x-old", "2"],
  ];
  const rule = { rename: { "x-old": "x-new", "x-none": "x-other" } };
  expect(transformed(rule, headers)).toEqual([
    ["x-new", "1"],
    ["x-new", "2"],
  ]);
  expect(transformed(rule, [["x-new", "kept"]])).toEqual([["x-new", "kept"]]);
});

test("replace puts texts in place of others, in each value of a header", () => {
  const response: Header[] = [
    [":status", "302"],
    ["location", "http://a/http://b"],
    ["set-cookie", "a=1; Domain=old.test"],
    ["set-cookie", "b=2"],
    ["set-cookie", "c=3; Domain=old.test; SameSite=Lax"],
    ["x-other", "http://"],
  ];
  const replace = {
    location: { "http://": "https://", "//a": "//c" },
    "set-cookie": { "; Domain=old.test": "", "SameSite=Lax": "SameSite=Strict" },
  };
  expect(answered({ replace }, [], response)).toEqual([
    ["location", "https://c/https://b"],
    ["set-cookie", "a=1"],
    ["x-other", "http://"],
    ["set-cookie", "b=2"],
    ["set-cookie", "c=3; SameSite=Strict"],
  ]);
});

test.each([
  ["%{header:x-user}", "ann"],
  ["%{header:X-Twice}", "1,2"],
  ["%{request:x-user}", "ann"],
  ["%{header::path}", "/api/v1?tenant=blue%20sea&page=2"],
  ["%{cookie:session}", "s1"],
  ["%{query:tenant}", "blue sea"],
  ["%{property:source.address}", "10.0.0.1:80"],
  ["%{property:metadata.filter_metadata['envoy.lb'].canary}", "yes"],
  ["%{integer:source.port}", "4711"],
  ["a-%{header:x-user}-%{cookie:session}-z", "a-ann-s1-z"],
  ["%{header:x-none|nobody}", "nobody"],
  ["%{header:x-none|}", ""],
  ["%{header:x-user|nobody}", "ann"],
  ["<%{cookie:x|a|b}>", "<a|b>"],
  ["100%", "100%"],
  ["100%%", "100%"],
  ["%%{header:x}", "%{header:x}"],
  ["%2F", "%2F"],
  ["é", "é"],
  ["", ""],
])("the value %j is %j", (value, expected) => {
  const headers: Header[] = [
    ["x-user", "ann"],
    ["x-twice", "1"],
    ["x-twice", "2"],
    ["cookie", "theme=dark; session=s1"],
  ];
  const all = transformed({ set: { "x-out": value } }, headers);
  expect(all.filter(([name]) => name === "x-out")).toEqual([["x-out", expected]]);
});

test("a header whose value lacks a part is removed by set, and left alone by the others", () => {
  const values = { "x-a": "user=%{cookie:user}" };
  const forged: Header[] = [["x-a", "user=root"]];
  expect(transformed({ set: values }, forged)).toEqual([]);
  expect(transformed({ append: values }, forged)).toEqual(forged);
  expect(transformed({ addIfAbsent: values })).toEqual([]);
});

test("no value brings a line break into a header", () => {
  const values = {
    "x-a": "%{property:bad}",
    "x-b": "%{query:q}",
    "x-c": "%{property:bad|none}",
    "x-d": "%{property:source.port}",
  };
  expect(transformed({ set: values }, [], "/?q=%0d%0ax-forged:%201")).toEqual([["x-c", "none"]]);
});

test("a value that grows beyond all measure is left out", () => {
  const long: Header = ["x-long", "a".repeat(8_000)];
  expect(
    transformed({ set: { "x-out": "%{header:x-long}%{header:x-long}%{header:x-long}" } }, [long]),
  ).toEqual([long]);
  expect(transformed({ replace: { "x-long": { a: "bbb" } } }, [long])).toEqual([long]);
});

test("a rule sees the message as it came", () => {
  const rules = [
    { remove: ["x-user"], set: { "x-a": "%{header:x-user}" } },
    { when: { headers: { "x-user": "ann" } }, set: { "x-b": "%{header:x-a|none}" } },
  ];
  expect(transformed(rules, [["x-user", "ann"]])).toEqual([
    ["x-a", "ann"],
    ["x-b", "none"],
  ]);
});

test.each([
  [{}, true],
  [{ path: "/api/v1" }, true],
  [{ path: "/api/v1?tenant=blue%20sea" }, false],
  [{ path: { prefix: "/api/" } }, true],
  [{ path: { prefix: ["/admin", "/api"] } }, true],
  [{ path: { suffix: "v1" } }, true],
  [{ path: { contains: "pi/v" } }, true],
  [{ path: { not: { prefix: "/api" } } }, false],
  [{ path: { not: { not: "/api/v1" } } }, true],
  [{ methods: ["POST", "GET"] }, true],
  [{ methods: ["POST"] }, false],
  [{ headers: { "X-Env": "prod" } }, true],
  [{ headers: { "x-env": "test" } }, false],
  [{ headers: { "x-twice": "1" } }, false],
  [{ headers: { "x-twice": "1,2" } }, true],
  [{ headers: { "x-env": { present: true }, "x-none": { present: false } } }, true],
  [{ headers: { "x-none": { not: "a" } } }, true],
  [{ headers: { "x-none": { contains: "" } } }, false],
  [{ query: { tenant: "blue sea", page: { prefix: "2" } } }, true],
  [{ query: { tenant: "blue%20sea" } }, false],
  [{ cookies: { session: { present: true } } }, true],
  [{ cookies: { sess: { present: true } } }, false],
  [{ path: { prefix: "/api" }, headers: { "x-env": "test" } }, false],
])("a rule when %j applies: %j", (when, applies) => {
  const headers: Header[] = [
    ["x-env", "prod"],
    ["x-twice", "1"],
    ["x-twice", "2"],
    ["cookie", "session=s1"],
  ];
  const out = transformed({ when, set: { "x-out": "1" } }, headers);
  expect(out.some(([name]) => name === "x-out")).toBe(applies);
});

test.each([
  [{ status: [404] }, "404", true],
  [{ status: ["4xx"] }, "404", true],
  [{ status: ["5xx", 404] }, "404", true],
  [{ status: ["5xx", 403] }, "404", false],
  [{ headers: { "content-type": { prefix: "text/html" } } }, "200", true],
  [{ headers: { "content-type": "text/html" } }, "200", false],
  [{ status: ["2xx"], headers: { server: { present: false } } }, "200", true],
])("a rule when the response is %j applies to %s: %j", (whenResponse, status, applies) => {
  const response: Header[] = [
    [":status", status],
    ["content-type", "text/html; charset=utf-8"],
  ];
  const out = answered({ whenResponse, set: { "x-out": "1" } }, [], response);
  expect(out.some(([name]) => name === "x-out")).toBe(applies);
});

test("a rule for responses knows what the request was", () => {
  const rules = [
    { when: { path: { prefix: "/api/" } }, set: { "cache-control": "no-store" } },
    { when: { path: { prefix: "/static/" } }, set: { "cache-control": "max-age=31536000" } },
    { set: { "x-request-id": "%{request:x-request-id}", "x-tenant": "%{query:tenant}" } },
    { append: { "x-own": "%{header:x-request-id|none}" } },
  ];
  expect(answered(rules, [["x-request-id", "r1"]], [[":status", "200"]])).toEqual([
    ["cache-control", "no-store"],
    ["x-request-id", "r1"],
    ["x-tenant", "blue sea"],
    ["x-own", "none"],
  ]);
});

test("a response without a request gets what asks nothing of a request", () => {
  const { open } = plugin.start({
    response: [
      { when: { path: "/" }, set: { "x-a": "1" } },
      { set: { "x-b": "%{request:x-b}", "x-c": "%{request:x-c|none}" } },
    ],
  });
  const response: Header[] = [
    [":status", "400"],
    ["x-b", "upstream's"],
  ];
  expect(open().responseHeaders(response)).toEqual([
    [":status", "400"],
    ["x-c", "none"],
  ]);
});

test("streams do not see each other's requests", () => {
  const { open } = plugin.start({
    response: [{ when: { headers: { "x-a": "1" } }, set: { "x-out": "%{request:x-b|none}" } }],
  });
  const answer = (request: readonly Header[]) => {
    const stream = open();
    stream.requestHeaders([...REQUEST, ...request]);
    return () => {
      const headers = stream.responseHeaders([[":status", "200"]]);
      stream.close();
      return headers.slice(1);
    };
  };
  const first = answer([
    ["x-a", "1"],
    ["x-b", "first"],
  ]);
  const second = answer([
    ["x-a", "2"],
    ["x-b", "second"],
  ]);
  expect(second()).toEqual([]);
  expect(first()).toEqual([["x-out", "first"]]);
  expect(answer([["x-a", "1"]])()).toEqual([["x-out", "none"]]);
});

test.each([
  [{}, "configuration has no rules"],
  [{ request: [{ set: { "a b": "1" } }] }, "request[0].set.a b is no header name"],
  [{ request: [{ set: { ":path": "/" } }] }, "request[0].set.:path is no header name"],
  [{ request: [{}, { remove: ["Host"] }] }, "request[1].remove[0] is the proxy's own"],
  [
    { response: [{ set: { "content-length": "1" } }] },
    "response[0].set.content-length is the proxy's",
  ],
  [{ response: [{ set: { "x-a": "1", "X-A": "2" } }] }, "response[0].set.X-A is given twice"],
  [{ response: [{ rename: { a: "A" } }] }, "response[0].rename.a is its name already"],
  [{ response: [{ rename: { a: "transfer-encoding" } }] }, "response[0].rename.a is the proxy's"],
  [
    { response: [{ replace: { a: { "": "x" } } }] },
    "response[0].replace.a has an empty text to replace",
  ],
  [{ response: [{ replace: { a: { x: "\n" } } }] }, "response[0].replace.a.x holds a control"],
  [{ response: [{ set: { a: "b\r\nc: d" } }] }, "response[0].set.a holds a control character"],
  [{ response: [{ set: { a: "%{header:x" } }] }, "response[0].set.a has %{header:x, which is not"],
  [
    { response: [{ set: { a: "%{x}" } }] },
    "response[0].set.a has %{x}, which is not %{source:name}",
  ],
  [{ response: [{ set: { a: "%{body:x}" } }] }, "response[0].set.a has %{body:x}, which is not"],
  [{ response: [{ set: { a: "%{header:}" } }] }, "response[0].set.a has %{header:}, which is not"],
  [{ response: [{ set: { a: "%{header:x y}" } }] }, "response[0].set.a has %{header:x y}, which"],
  [{ response: [{ set: { a: "%{property:a..b}" } }] }, "response[0].set.a has %{property:a..b}"],
  [{ response: [{ set: { a: "%{property:a['b}" } }] }, "response[0].set.a has %{property:a['b}"],
  [
    { response: [{ set: { a: "%{header:x}".repeat(33) } }] },
    "response[0].set.a has too many parts",
  ],
  [{ request: [{ when: { path: {} } }] }, "request[0].when.path matches nothing"],
  [{ request: [{ when: { path: { equals: [] } } }] }, "request[0].when.path.equals names no text"],
  [
    { request: [{ when: { path: { is: "/" } } }] },
    "request[0].when.path.is is no match; there are",
  ],
  [
    { request: [{ when: { path: { prefix: "/", suffix: "/" } } }] },
    "request[0].when.path.suffix is one too many",
  ],
  [{ request: [{ when: { host: "a" } }] }, "request[0].when.host is no setting; there are path"],
  [{ request: [{ whenResponse: {} }] }, "configuration has whenResponse in request[0], before"],
  [
    { response: [{ whenResponse: { status: ["6xx"] } }] },
    "response[0].whenResponse.status[0] is no status: write 404 or 4xx",
  ],
  [
    { response: [{ whenResponse: { status: [99] } }] },
    "response[0].whenResponse.status[0]: must be at least 100",
  ],
  [{ request: Array.from({ length: 65 }, () => ({})) }, "request: must have at most 64 items"],
])("%j is refused", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toContain(`header-transform: ${problem}`);
});

test("whatever a request holds, nothing traps and no line is forged", () => {
  const { host, open } = plugin.start({
    request: [
      {
        when: { query: { a: { not: { prefix: "%" } } } },
        remove: ["x-r*"],
        rename: { "x-a": "x-b" },
        replace: { "x-c": { a: "bb", b: "" } },
        set: { "x-d": "%{query:a|}%{cookie:a|}%{header:x-a|}" },
      },
    ],
    response: [{ set: { "x-e": "%{query:b|}%{header:x-a|}" } }],
  });
  const name = fc.constantFrom("x-a", "x-b", "x-c", "x-r1", "cookie", ":path");
  const value = fc.string({ unit: fc.constantFrom(...'ab=;&?%+0d"\t é') });
  const headers = fc.array(fc.tuple(name, value), { maxLength: 12 });
  fc.assert(
    fc.property(headers, headers, (request, response) => {
      const stream = open();
      const all = [...stream.requestHeaders(request), ...stream.responseHeaders(response)];
      stream.close();
      expect(all.filter(([, text]) => /[\r\n\0]/.test(text))).toEqual([]);
    }),
    { numRuns: 500 },
  );
  expect(host.hasFailed).toBe(false);
});

test("memory stays flat over many requests", () => {
  const { host, open } = plugin.start({
    request: [{ set: { "x-a": "%{header::path}-%{cookie:a|none}" }, remove: ["x-*"] }],
    response: [{ when: { path: { prefix: "/api" } }, set: { "x-b": "%{request:x-request-id|}" } }],
  });
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      const stream = open();
      stream.requestHeaders([...REQUEST, ["x-b", "1"], ["x-request-id", String(i)]]);
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
