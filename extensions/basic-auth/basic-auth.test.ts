import { createHash, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import { expect, test } from "vitest";
import { parse } from "yaml";

const plugin = await load(import.meta.dirname);

const salt = Buffer.from("salt of ann");
const salted = (password: string) =>
  `$sha256$${salt.toString("base64")}$${createHash("sha256").update(salt).update(password).digest("base64")}`;
const slow = (password: string, rounds = 1_000) =>
  `$pbkdf2-sha256$i=${rounds}$${salt.toString("base64url").replaceAll("-", "+")}$${pbkdf2Sync(password, salt, rounds, 32, "sha256").toString("base64")}`;

const basic = (credentials: string): Header => [
  "authorization",
  `Basic ${Buffer.from(credentials).toString("base64")}`,
];

const users = { ann: salted("open sesame"), bob: slow("s3:cret"), ülf: salted("ö") };

/** One request through a plugin. */
function asking(started: ReturnType<typeof plugin.start>, ...headers: Header[]) {
  const stream = started.open();
  stream.requestHeaders([[":path", "/a?b"], ...headers]);
  return stream;
}

test("who knows the password comes in, and the password stays outside", () => {
  const started = plugin.start({ users });
  for (const credentials of ["ann:open sesame", "bob:s3:cret", "bob:s3:cret", "ülf:ö"]) {
    const stream = asking(started, basic(credentials), ["x-other", "1"]);
    expect(stream.request.headers).toEqual([
      [":path", "/a?b"],
      ["x-other", "1"],
    ]);
  }
  expect(started.host.counters.get("basic_auth_allowed_total")).toBe(4n);
});

test("the scheme knows no case, and may be followed by several spaces", () => {
  const [, value] = basic("ann:open sesame");
  const stream = asking(plugin.start({ users }), [
    "authorization",
    value.replace("Basic ", "bASIC   "),
  ]);
  expect(stream.request).not.toPause();
});

test.each([
  ["nothing", []],
  ["another scheme", [["authorization", "Bearer x"]]],
  ["no base64", [["authorization", "Basic *"]]],
  ["no scheme", [["authorization", "YTpi"]]],
  ["no colon", [basic("ann")]],
  ["no name", [basic(":open sesame")]],
  ["a control character", [basic("ann:open\0sesame")]],
  ["two passwords", [basic("ann:open sesame"), basic("ann:open sesame")]],
  ["far too much", [basic(`ann:${"x".repeat(1024)}`)]],
  ["a wrong password", [basic("ann:open sesam")]],
  ["a longer password", [basic("ann:open sesame!")]],
  ["somebody else's password", [basic("ann:s3:cret")]],
  ["a stranger", [basic("eve:open sesame")]],
  ["a name in other case", [basic("Ann:open sesame")]],
] as const)("with %s nobody comes in", (_, headers) => {
  const started = plugin.start({ users, realm: "shop" });
  const stream = asking(started, ...headers);
  expect(stream).toRespond(401, "a password is needed\n");
  expect(stream.localResponse?.headers).toEqual([
    ["www-authenticate", 'Basic realm="shop", charset="UTF-8"'],
  ]);
  expect(stream.request).toPause();
  expect(started.host.logs).toEqual([]);
});

test("the reasons are counted", () => {
  const started = plugin.start({ users });
  asking(started);
  asking(started, ["authorization", "Bearer x"]);
  asking(started, basic("ann:x"));
  asking(started, basic("eve:x"));
  expect([...started.host.counters].filter(([name]) => name.includes("denied"))).toEqual([
    ["basic_auth_denied_total.reason=.=missing;.;", 1n],
    ["basic_auth_denied_total.reason=.=malformed;.;", 1n],
    ["basic_auth_denied_total.reason=.=wrong;.;", 2n],
    ["basic_auth_denied_total.reason=.=limited;.;", 0n],
  ]);
});

test("the upstream is told who it is, and by nobody else", () => {
  const started = plugin.start({ users, userHeader: "X-User", exempt: ["/open"], forward: true });
  const forged: Header[] = [
    ["x-user", "root"],
    ["x-user", "admin"],
  ];
  const stream = asking(started, ...forged, basic("ann:open sesame"));
  expect(stream.request).toHaveHeader("x-user", "ann");
  expect(stream.request).toHaveHeader("authorization");
  const free = started.open();
  expect(free.requestHeaders([[":path", "/open"], ...forged])).toEqual([[":path", "/open"]]);
});

test.each([
  ["/healthz", true],
  ["/healthz?x=/../", true],
  ["/public/a/b.c", true],
  ["/public/%41", false],
  ["/public/a%20b%C3%A9", true],
  ["/public/%zz", false],
  ["/public/%", false],
  ["/public/..a/.b", true],
  ["/public", false],
  ["/healthz/", false],
  ["/Healthz", false],
  ["/public/../admin", false],
  ["/public/..", false],
  ["/public/./a", false],
  ["/public//a", false],
  ["/public/%2e%2e/admin", false],
  ["/public/%2E./admin", false],
  ["/public/%252e%252e/admin", false],
  ["/public/..%2fadmin", false],
  ["/public/..\\admin", false],
  ["/public/..%5Cadmin", false],
  ["/public/..;/admin", false],
  ["/public/%00", false],
  ["", false],
])("that %j needs no password: %s", (path, isExempt) => {
  const started = plugin.start({ users, exempt: ["/healthz", "/public/*"] });
  const stream = started.open();
  stream.requestHeaders([[":path", path]]);
  expect(stream.localResponse === null).toBe(isExempt);
});

test("a password that was right is not hashed again, whatever else was tried meanwhile", () => {
  const started = plugin.start({ users, attemptsPerSecond: 1 });
  expect(asking(started, basic("bob:s3:cret")).localResponse).toBeNull();
  const limited = asking(started, basic("bob:wrong"));
  expect(limited).toRespond(429);
  expect(limited.localResponse?.headers).toEqual([["retry-after", "1"]]);
  expect(asking(started, basic("eve:wrong"))).toRespond(429);
  expect(asking(started, basic("bob:s3:cret")).localResponse).toBeNull();
  started.host.advance(1_000);
  expect(asking(started, basic("ann:open sesame")).localResponse).toBeNull();
  expect(asking(started, basic("ann:open sesame")).localResponse).toBeNull();
});

test("whether there is such a user does not show in the work that is done", () => {
  const hashes = { ann: slow("x"), bob: slow("y") };
  const started = plugin.start({ users: hashes, attemptsPerSecond: 0 }, { meter: true });
  const fuelOf = (credentials: string) => {
    const cost = () => started.host.costs.get("proxy_on_request_headers")?.fuel ?? 0;
    const before = cost();
    expect(asking(started, basic(credentials))).toRespond(401);
    return cost() - before;
  };
  const known = fuelOf("ann:wrong");
  for (const credentials of ["eve:wrong", "bob:wrong", "tom:right", "ann:wrang"]) {
    expect(Math.abs(fuelOf(credentials) / known - 1)).toBeLessThan(0.001);
  }
});

test("as many passwords are hashed a second as may be", () => {
  const started = plugin.start({ users, attemptsPerSecond: 10 });
  const statusOf = () => asking(started, basic("eve:x")).localResponse?.status;
  expect(Array.from({ length: 12 }, statusOf)).toEqual([...Array(10).fill(401), 429, 429]);
  started.host.advance(250);
  expect(Array.from({ length: 4 }, statusOf)).toEqual([401, 401, 429, 429]);
});

test.each([
  [{}, "configuration needs users, at byte 2"],
  [{ users: {} }, "users: must have at least 1 members, at byte 11"],
  [
    { users: { ann: "secret" } },
    "users.ann must begin with $pbkdf2-sha256$ or $sha256$, at byte 10",
  ],
  [
    { users: { ann: slow("x").replace("i=1000", "i=999") } },
    "users.ann must have i=1000 to i=100000 rounds, at byte 10",
  ],
  [
    { users: { ann: "$sha256$c2FsdA$AAAA" } },
    "users.ann must have a salt of 8 to 64 bytes in base64, at byte 10",
  ],
  [
    { users: { ann: `${salted("x")}$` } },
    "users.ann must end with a hash of 32 bytes in base64, at byte 10",
  ],
  [
    { users: { "a:b": salted("x") } },
    "configuration has a user whose name is empty or has a colon or controls, at byte 79",
  ],
  [
    { users, realm: 'a"b' },
    "configuration must not have quotes, backslashes or controls in realm, at byte 246",
  ],
  [
    { users, userHeader: "x user" },
    "configuration has a userHeader that is no name of a header, at byte 246",
  ],
  [
    { users, exempt: ["/a*b"] },
    "configuration must have paths in exempt that begin with / and have a * at the end only",
  ],
])("the configuration %j is refused", (configuration, problem) => {
  const refusal = plugin.refusal(configuration);
  expect(refusal).toContain(`basic-auth: ${problem.replace(/, at byte \d{2,}$/, "")}`);
  expect(refusal).not.toMatch(/[A-Za-z0-9+/]{32}/);
});

test("the examples of extension.yaml are taken, and their password is right", () => {
  const { examples } = parse(readFileSync(join(import.meta.dirname, "extension.yaml"), "utf8"));
  for (const example of examples) {
    const [name] = Object.keys(example.users);
    const stream = asking(plugin.start(example), basic(`${name}:open sesame`));
    expect(stream.localResponse).toBeNull();
  }
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
