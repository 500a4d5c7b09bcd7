import { createHmac } from "node:crypto";
import { checkBudget, load, type StartedPlugin } from "@weft/sdk/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bodyThrough } from "./body-through.ts";

const plugin = await load(import.meta.dirname);

const TEXT = { style: "text", text: "#" };
const JSON_TYPE = "application/json";

/** Everything that can be looked for, each kind replaced by its own sign. */
const everything = {
  email: { style: "text", text: "[email]" },
  card: { style: "text", text: "[card]" },
  iban: { style: "text", text: "[iban]" },
  ssn: { style: "text", text: "[ssn]" },
  phone: { style: "text", text: "[phone]" },
  ipv4: { style: "text", text: "[ipv4]" },
  ipv6: { style: "text", text: "[ipv6]" },
  literals: { texts: ["falcon", "falconry", "alco"], as: { style: "text", text: "[literal]" } },
};

/** The same text after a plugin of this configuration, in one piece. */
function redacted(configuration: unknown, text: string, type = "text/plain"): string {
  return bodyThrough(plugin.start(configuration), { type, pieces: [text] });
}

test.each([
  ["mail bob@example.com.", "mail [email]."],
  ["<bob.o+tag@mail.example.co.uk>", "<[email]>"],
  ["email=bob%40example.com&x=1", "email=[email]&x=1"],
  ["a@b.com@c.com", "[email][email]"],
  ["bob@localhost bob@example.c @example.com bob@ex..com", null],
  ["...bob@example.com...", "...[email]..."],
  ["bob@;example.com", null],
  ["pay 4111111111111111 now", "pay [card] now"],
  ["4111 1111 1111 1111", "[card]"],
  ["12 4111-1111-1111-1111 9", "12 [card] 9"],
  ["3782 822463 10005", "[card]"],
  ["4111111111111112", null],
  ["x4111111111111111 4111111111111111y 0.4111111111111111", null],
  ["9111111111111111 41111111111111111111111", null],
  ["4111  1111 1111 1111", null],
  ["4111111111111111@example.com", "[email]"],
  ["DE89370400440532013000", "[iban]"],
  ["to DE89 3704 0044 0532 0130 00, please", "to [iban], please"],
  ["GB29 NWBK 6016 1331 9268 19", "[iban]"],
  ["DE88370400440532013000 DE8937040044053201300", null],
  ["123-45-6789", "[ssn]"],
  ["ssn 123 45 6789.", "ssn [ssn]."],
  ["666-45-6789 000-45-6789 912-45-6789 123-00-6789 123-45-0000", null],
  ["+49 30 901820", "[phone]"],
  ["(+1 (555) 010-0199)", "([phone])"],
  ["(555) 555-0100 or 555-555-0100 or 555.555.0100", "[phone] or [phone] or [phone]"],
  ["10.0.0.1:80", "[ipv4]:80"],
  ["10.0.0.256 1.2.3 01.2.3.4", null],
  ["from 2001:db8::1, ::1 and fe80::1%eth0", "from [ipv6], [ipv6] and [ipv6]%eth0"],
  ["::ffff:10.0.0.1", "[ipv6]"],
  ["1:2:3:4:5:6:7:8 12:34:56 std::vector a:b", "[ipv6] 12:34:56 std::vector a:b"],
  ["a falconry, a falcon, an alcove", "a [literal], a [literal], an [literal]ve"],
  ["", ""],
])("of %j everything is found", (text, expected) => {
  expect(redacted(everything, text)).toBe(expected ?? text);
});

test("a mask keeps the length, and at most half of what it covers", () => {
  const look = { card: { keepLast: 4 }, email: {}, ssn: { keepLast: 16 } };
  expect(redacted(look, "4111-1111-1111-1111 bob@example.com 123-45-6789")).toBe(
    "***************1111 *************** ******-6789",
  );
});

test("a hash is the keyed SHA-256, so that equal values stay equal", () => {
  const hashKey = "0123456789abcdef";
  const hash = (value: string) =>
    createHmac("sha256", hashKey).update(value).digest("hex").slice(0, 16);
  const look = { email: { style: "hash" }, fields: { names: ["pin"], as: { style: "hash" } } };
  expect(
    redacted({ ...look, hashKey }, `{"pin": "007", "by": "a@b.io", "to": "a@b.io"}`, JSON_TYPE),
  ).toBe(`{"pin": "${hash("007")}", "by": "${hash("a@b.io")}", "to": "${hash("a@b.io")}"}`);
});

test.each([
  [`{"password": "s3\\"cr\\\\et", "user": "ann"}`, `{"password": "#", "user": "ann"}`],
  [`{"PassWord" : "x"}`, `{"PassWord" : "#"}`],
  [`{"pass\\u0077ord": "x"}`, `{"pass\\u0077ord": "#"}`],
  [`{"password": 1234, "n": 1}`, `{"password": "#", "n": 1}`],
  [`{"password": true, "token":null}`, `{"password": "#", "token":null}`],
  [`{"password": "", "passwords": "x"}`, `{"password": "", "passwords": "x"}`],
  [
    `{"token": {"a": "x", "b": ["y", 1, {"password": "z"}], "c": {}}, "d": "e"}`,
    `{"token": {"a": "#", "b": ["#", "#", {"password": "#"}], "c": {}}, "d": "e"}`,
  ],
  [`["password", "x", {"a": "password", "b": ":"}]`, null],
  [`{"a": {"token": "x"}}\n{"token": "y"}\n`, `{"a": {"token": "#"}}\n{"token": "#"}\n`],
  [`{"token": "never ends`, `{"token": "#`],
])("in %j the values of names are covered", (text, expected) => {
  const fields = { names: ["password", "Token"], as: TEXT };
  expect(redacted({ fields }, text, JSON_TYPE)).toBe(expected ?? text);
});

test("a mask leaves JSON what it is", () => {
  const look = { card: { keepLast: 4 }, fields: { names: ["pin"] } };
  const text = `{"pin":12345,"n":4111111111111111,"m":-4111111111111111,"o":{"pin":7}}`;
  const masked = redacted(look, text, JSON_TYPE);
  expect(masked).toBe(`{"pin":"***","n":"**********1111","m":-4111111111111111,"o":{"pin":0}}`);
  expect(masked).toHaveLength(text.length);
});

test("names are looked for in JSON only", () => {
  const fields = { names: ["password"], as: TEXT };
  expect(redacted({ fields }, `{"password": "x"}`)).toBe(`{"password": "x"}`);
  const type = "application/problem+json; charset=utf-8";
  expect(redacted({ fields }, `{"password": "x"}`, type)).toBe(`{"password": "#"}`);
});

/** What a body is put together from: what is found, what nearly is, and what runs on and on. */
const fragment = fc.oneof(
  fc.constantFrom(
    "bob@example.com",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "123-45-6789",
    "+1 (555) 010-0199",
    "10.0.0.1",
    "2001:db8::1",
    "falconry",
    "falco",
    "%40example.com",
    `{"password":"a\\"b","pin":[12,"x",null,true]}`,
    `"password": `,
    `"pass\\u0077ord":"`,
  ),
  fc.string({ unit: fc.constantFrom(...'0123456789 -.:@abDE%{}[]",\\'), maxLength: 30 }),
  fc.string({ maxLength: 10 }),
  fc.string({
    unit: fc.constantFrom("a", "1", "1 ", "a.", "::", "@"),
    minLength: 200,
    maxLength: 400,
  }),
);

/** A body, and the lengths of the pieces it comes in, over and over. */
const cutBody = fc.tuple(
  fc.array(fragment, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(""))),
  fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }),
);

function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const length = lengths[i % lengths.length] ?? 0;
    const isStuck = lengths.every((each) => each === 0);
    pieces.push(body.subarray(at, at + (isStuck ? 1 : length)));
    at += isStuck ? 1 : length;
  }
  return [...pieces, Buffer.alloc(0)];
}

test.each([
  ["text", everything, "text/plain"],
  ["JSON", { ...everything, fields: { names: ["password", "pin"], as: TEXT } }, JSON_TYPE],
  [
    "JSON under masks",
    {
      email: {},
      card: { keepLast: 4 },
      phone: {},
      ipv6: {},
      fields: { names: ["password", "pin"] },
    },
    JSON_TYPE,
  ],
])("however %s is cut into pieces, the same goes on", (_, configuration, type) => {
  const started = plugin.start(configuration);
  fc.assert(
    fc.property(cutBody, ([body, lengths]) => {
      const whole = bodyThrough(started, { type, pieces: [body] });
      expect(bodyThrough(started, { type, pieces: cut(body, lengths) })).toBe(whole);
    }),
    { numRuns: 400 },
  );
  expect(started.host.hasFailed).toBe(false);
});

test("masks never change the length of a body", () => {
  const started = plugin.start({
    ...{ email: {}, card: {}, iban: {}, ssn: {}, phone: {}, ipv4: {}, ipv6: {} },
    ...{ fields: { names: ["password", "pin"] }, literals: { texts: ["falcon"] } },
  });
  fc.assert(
    fc.property(cutBody, ([body]) => {
      const masked = bodyThrough(started, { type: JSON_TYPE, pieces: [body] });
      expect(Buffer.from(masked)).toHaveLength(Buffer.from(body.toString()).length);
    }),
    { numRuns: 400 },
  );
});

test.each([
  [{}, "configuration names nothing to look for, at byte 2"],
  [{ email: { style: "star" } }, "email.style must be mask, text or hash, at byte 10"],
  [{ card: { keepLast: 17 } }, "card.keepLast: must be at most 16, at byte 20"],
  [
    { email: { text: 'a"b' } },
    "email must not have quotes, backslashes or control characters in text, at byte 10",
  ],
  [
    { email: { style: "hash" } },
    "configuration needs a hashKey of 16 characters or more for the style hash, at byte 26",
  ],
  [{ fields: {} }, "fields needs names, at byte 1"],
  [{ fields: { names: [""] } }, "fields must have names of 1 to 128 bytes, at byte 20"],
  [{ literals: { texts: ["x"] } }, "literals must have texts of 2 to 256 bytes, at byte 22"],
  [{ email: {}, sides: "left" }, "sides must be response, request or both, at byte 12"],
  [{ email: {}, compressed: "drop" }, "compressed must be pass or refuse, at byte 12"],
  [{ email: {}, contentTypes: ["*/*"] }, "contentTypes[0] has several stars, at byte 28"],
])("the configuration %j is refused: %s", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toBe(`pii-redaction: ${problem}`);
});

/** The instructions that a body of these bytes, over and over, takes. */
function fuelOf(started: StartedPlugin, pattern: string, length: number): number {
  const body = pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);
  const before = started.host.costs.get("proxy_on_response_body")?.fuel ?? 0;
  bodyThrough(started, { type: JSON_TYPE, pieces: [`"${body}"`] });
  return (started.host.costs.get("proxy_on_response_body")?.fuel ?? 0) - before;
}

test.each([
  ["1 "],
  ["1"],
  ["41111 "],
  ["+1-"],
  ["1."],
  ["AB12 "],
  ["AB12"],
  ["a@"],
  ["a@b.c"],
  ["%40"],
  ["::"],
  ["a:"],
  ["falc"],
  ["falconr"],
  ["\\u0070"],
  ['":"'],
  ['"password":['],
  ['{"pin":1,'],
])("of %j without end each byte takes about as long, and not for long", (pattern) => {
  const fields = { names: ["password", "pin"] };
  const started = plugin.start({ ...everything, fields }, { meter: true });
  const once = fuelOf(started, pattern, 16_384);
  expect(fuelOf(started, pattern, 32_768) / once).toBeLessThan(2.2);
  expect(once / 16_384).toBeLessThan(1_500);
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));

test("an endless body takes no memory", () => {
  const started = plugin.start({
    ...everything,
    hashKey: "0123456789abcdef",
    email: { style: "hash" },
  });
  const stream = started.open();
  stream.requestHeaders([[":path", "/"]]);
  stream.responseHeaders([[":status", "200"]], false);
  const piece = "a@b.io 4111111111111111 falcon ".repeat(100);
  for (let i = 0; i < 40; i++) stream.responseBody(piece);
  const { pages } = started.host;
  for (let i = 0; i < 400; i++) stream.responseBody(piece);
  expect(started.host.pages).toBe(pages);
  expect(started.host.hasFailed).toBe(false);
});
