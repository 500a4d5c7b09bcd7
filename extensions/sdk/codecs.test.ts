import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildPlugin } from "./build.ts";
import { createHost, type Header } from "./host/index.ts";

const { wasm } = await buildPlugin(join(import.meta.dirname, "probe", "codecs"));

const host = createHost(wasm, {
  properties: {
    metadata: {
      filter_metadata: {
        jwt: { payload: { sub: "ann", exp: 12, admin: true, roles: ["admin", "ops"] } },
      },
    },
    filter_state: { "wasm.tenant": "blue" },
    xds: { route_metadata: { filter_metadata: { jwt: { tier: "gold" } } } },
  },
});
const root = host.start("") ?? 0;

type Operand = string | Uint8Array;

/** What the probe answers to a question about two operands. */
function ask(question: string, a: Operand = "", b: Operand = ""): string {
  return answersTo([
    ["ask", question],
    ["a", Buffer.from(a).toString("hex")],
    ["b", Buffer.from(b).toString("hex")],
  ]).join();
}

function answersTo(headers: Header[]): string[] {
  const stream = host.openStream(root);
  const answered = stream.requestHeaders(headers);
  stream.close();
  return answered.flatMap(([name, value]) => (name === "answer" ? [value] : []));
}

const hexOf = (text: Operand) => Buffer.from(text).toString("hex");

/** Of any length around the blocks of a hash. */
const bytes = fc.uint8Array({ maxLength: 200 });

test("SHA-256 and HMAC are those of OpenSSL", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(ask("sha256", a)).toBe(createHash("sha256").update(a).digest("hex"));
      expect(ask("hmac", a, b)).toBe(createHmac("sha256", a).update(b).digest("hex"));
      expect(ask("pbkdf2", a, b)).toBe(pbkdf2Sync(a, b, 3, 32, "sha256").toString("hex"));
    }),
  );
});

test("what is computed at start-up outlives every callback", () => {
  ask("sha256", "x".repeat(9_000));
  expect(ask("digest-of-nothing")).toBe(createHash("sha256").digest("hex"));
});

test("base64, base64url and hexadecimal are written and read", () => {
  fc.assert(
    fc.property(bytes, (a) => {
      const [padded, url] = [
        Buffer.from(a).toString("base64"),
        Buffer.from(a).toString("base64url"),
      ];
      expect([ask("base64", a), ask("base64url", a)]).toEqual([padded, url]);
      expect(ask("from-base64", padded)).toBe(hexOf(a));
      expect(ask("from-base64", padded.replaceAll("=", ""))).toBe(hexOf(a));
      expect(ask("from-base64url", url)).toBe(hexOf(a));
      expect(ask("from-hex", hexOf(a).toUpperCase())).toBe(hexOf(a));
    }),
  );
});

test.each([
  ["from-base64", "YQ="],
  ["from-base64", "YQ==="],
  ["from-base64", "Y"],
  ["from-base64", "YR=="],
  ["from-base64", "YW\n="],
  ["from-base64", "-_-_"],
  ["from-base64url", "+/+/"],
  ["from-base64", "===="],
  ["from-hex", "abc"],
  ["from-hex", "0g"],
  ["from-hex", "/0"],
])("%s refuses %j", (question, text) => {
  expect(ask(question, text)).toBe("null");
});

test("equality in constant time is equality", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(ask("same", a, a)).toBe("yes");
      expect(ask("same", a, b)).toBe(Buffer.compare(a, b) === 0 ? "yes" : "no");
    }),
  );
  expect(ask("same", "abc", "abd")).toBe("no");
});

test("a text is the same in UTF-8 and as a string", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      expect(ask("string", text)).toBe(hexOf(`<${text}>`));
    }),
  );
});

test.each([
  ["ff", "\ufffd"],
  ["41e28241", "A\ufffd\ufffdA"],
  ["eda080", "\ufffd\ufffd\ufffd"],
  ["c0af", "\ufffd\ufffd"],
  ["f09f98", "\ufffd\ufffd\ufffd"],
])("the bytes %s, which are no UTF-8, are %j as a string", (hex, text) => {
  expect(ask("string", Buffer.from(hex, "hex"))).toBe(hexOf(`<${text}>`));
});

test("half of a surrogate pair is no character", () => {
  for (const offset of [0, 0x3ff, 0x400, 0x7ff]) {
    expect(ask("surrogate", new Uint8Array(offset))).toBe(hexOf("<\ufffd>"));
  }
});

test("only the capitals of ASCII are made small", () => {
  expect(ask("lower", "AZaz[@`{É")).toBe(hexOf("azaz[@`{É"));
});

/** FNV-1a with the end of MurmurHash3. */
function hash32(text: Uint8Array, seed: number): number {
  let hash = (2_166_136_261 ^ seed) >>> 0;
  for (const byte of text) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

test("a hash is the same everywhere, and even for names that hardly differ", () => {
  fc.assert(
    fc.property(bytes, fc.nat(), (a, seed) => {
      expect(ask("hash", a, String(seed))).toBe(String(hash32(a, seed)));
    }),
  );
  const users = Array.from({ length: 2_000 }, (_, i) => Number(ask("hash", `user-${i}`)) % 100);
  const few = users.filter((slot) => slot < 10).length;
  expect(Math.abs(few - 200)).toBeLessThan(50);
});

test.each([
  ["a,b,,c", ",", "[a][b][][c]"],
  ["", ",", "[]"],
  [",", ",", "[][]"],
  ["a--b-c", "--", "[a][b-c]"],
  ["abc", "", "[abc]"],
  ["abc", "x", "[abc]"],
])("%j is split at %j into %s", (text, separator, parts) => {
  expect(ask("split", text, separator)).toBe(parts);
});

test("whole numbers are read and written", () => {
  const all = [0n, -1n, 7n, 10n, 999_999_999_999_999_999n, -999_999_999_999_999_999n];
  for (const value of all) expect(ask("integer", `${value}`)).toBe(`${value}`);
});

test("parameters of a query are those of URLSearchParams", () => {
  const unit = fc.constantFrom(
    ..."ab=&+%?/",
    "%20",
    "%2B",
    "%2b",
    "%26",
    "%3D",
    "%C3%A9",
    "%4",
    "%zz",
  );
  const query = fc.string({ unit, maxLength: 20 });
  fc.assert(
    fc.property(
      query,
      fc.string({ unit: fc.constantFrom(..."ab +&=é"), maxLength: 2 }),
      (text, name) => {
        const value = new URLSearchParams(`?${text}`).get(name);
        const hex = value === null ? "null" : hexOf(value);
        expect([text, name, ask("query", `/?${text}`, name)]).toEqual([text, name, hex]);
      },
    ),
    { numRuns: 1_000 },
  );
  expect(ask("query", "/a=b", "a")).toBe("null");
  expect(["/a?b", "/a#b?c", "/a", "?", ""].map((path) => ask("path", path))).toEqual([
    "/a",
    "/a",
    "/a",
    "",
    "",
  ]);
});

test("cookies are stepped through, whatever stands between them", () => {
  const cookie = `a=1; b="two"; ;=x;novalue; c=; d=e=f ;`;
  expect(
    answersTo([
      ["ask", "cookies"],
      ["cookie", cookie],
    ]),
  ).toEqual(["a=1", "b=two", "c=", "d=e=f"]);
  expect(answersTo([["ask", "cookies"]])).toEqual([]);
});

test("metadata and filter state are read by the type the caller knows", () => {
  expect(answersTo([["ask", "metadata"]])).toEqual([
    hexOf("ann"),
    "12",
    "yes",
    "admin;ops;",
    hexOf("ops"),
    "null",
    hexOf("gold"),
    hexOf("blue"),
  ]);
});

const V4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;

/** The 128 bits of an address as the URL parser understands it; null if it is none. */
function bitsOf(address: string): string {
  if (V4.test(address)) {
    const v4 = address.split(".").map((part) => Number(part).toString(2).padStart(8, "0"));
    return `v4 ${"0".repeat(80)}${"1".repeat(16)}${v4.join("")}`;
  }
  if (!(address.includes(":") && URL.canParse(`http://[${address}]`))) return "null";
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail = ""] = written.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array(missing).fill("0"), ...groups(tail)];
  const bits = all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"));
  const isV4 = bits.slice(0, 5).every((group) => !group.includes("1")) && !bits[5]?.includes("0");
  return `${isV4 ? "v4" : "v6"} ${bits.join("")}`;
}

/** Texts that are addresses, or nearly. */
const nearAddress = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(50), fc.constantFrom("", ":", ".", "::", "0", "g"))
  .map(([address, at, extra]) => address.slice(0, at) + extra + address.slice(at));

test("addresses are what the URL parser takes for ones", () => {
  const known = [
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "1:2:3:4:5:6:7::",
    "256.1.1.1",
  ];
  const near = [
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4.5",
    ":::",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "::1.2.3.4",
  ];
  const odd = [
    "1:",
    ":1",
    "::1%eth0",
    "12345::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4:80",
    "",
    "1.2.3.1000",
  ];
  const check = (address: string) => {
    expect([address, ask("ip", address)]).toEqual([address, bitsOf(address)]);
  };
  for (const address of [...known, ...near, ...odd]) check(address);
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearAddress), check), { numRuns: 1_000 });
});

test.each([
  ["10.0.0.1:80", "10.0.0.1"],
  ["10.0.0.1", "10.0.0.1"],
  ["[2001:db8::1]:443", "2001:db8::1"],
  ["2001:db8::1", "2001:db8::1"],
])("the peer %s has the address %s", (peer, address) => {
  expect(ask("peer", peer)).toBe(bitsOf(address));
});

test.each([
  "/run/envoy.sock",
  "[",
  "[]:80",
  "[::1",
  "[::1]x",
  "[::1]:x",
  "[10.0.0.1]:80",
  "10.0.0.1:",
  "10.0.0.1:65536",
  "10.0.0.1:-1",
  "10.0.0.1:8x",
  "10.0.0.1:80:90",
  "",
])("the peer %j has no address", (peer) => {
  expect(ask("peer", peer)).toBe("null");
});

test("a range holds the addresses that share its bits", () => {
  const range = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.constant("ipv4" as const)),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.constant("ipv6" as const)),
  );
  /** An address that shares some first bits with another one. */
  const flipped = (address: string, bit: number) => {
    const bits = [...bitsOf(address).slice(3)];
    bits[bit] = bits[bit] === "0" ? "1" : "0";
    const groups = bits.join("").match(/.{16}/g) ?? [];
    return groups.map((group) => Number.parseInt(group, 2).toString(16)).join(":");
  };
  fc.assert(
    fc.property(range, fc.integer({ min: 0, max: 127 }), ([address, bits, family], bit) => {
      const offset = family === "ipv4" ? 96 : 0;
      const other = flipped(address, Math.max(bit, offset));
      const isWithin = Math.max(bit, offset) >= bits + offset;
      expect(ask("within", other, `${address}/${bits}`)).toBe(isWithin ? "yes" : "no");
    }),
  );
});

test.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "/8", "10.0.0.0/8/8", "x/8"])(
  "%s is no range",
  (range) => {
    expect(ask("within", "10.0.0.1", range)).toBe("null");
  },
);

test("a message is written and read field by field", () => {
  const written = ask("write-proto");
  expect(written).toBe(`1202c3a97a0308ac0218${"ff".repeat(9)}01`);
  expect(ask("proto", Buffer.from(written, "hex")).split(" ")).toEqual([
    "2:0/0/é/0.0",
    expect.stringMatching(/^15:0\/0\/.+\/0\.0$/),
    expect.stringMatching(/^\{1:300\/150\/\//),
    "end}",
    "3:-1/-9223372036854775808//NaN",
    "end",
  ]);
  const fixed = Buffer.from("0d000020411100000000000045401805", "hex");
  expect(ask("proto", fixed)).toMatch(/^1:1092616192\/.* 2:\d+\/\d+\/\/42\.0 3:5\/-3\/\//);
});

test.each(["0a05616263", "08", "0880808080808080808080801", "07", "00", "0b", "12ffffffff0f"])(
  "the damaged message %s ends early",
  (hex) => {
    expect(ask("proto", Buffer.from(hex, "hex"))).toMatch(/damaged$/);
  },
);
