import { BlockList, isIPv6 } from "node:net";
import { checkBudget, type Header, load } from "@weft/sdk/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";

const plugin = await load(import.meta.dirname);

/** A plugin that takes the address from the header, and a question to it by an address. */
function asked(configuration: object) {
  const { host, open } = plugin.start({ source: "header", ...configuration });
  const isAllowed = (...values: string[]): boolean => {
    const stream = open();
    stream.requestHeaders(values.map((value): Header => ["x-forwarded-for", value]));
    stream.close();
    return stream.localResponse === null;
  };
  return { host, isAllowed };
}

/** The counters that have counted, without the metric's name. */
function counts(counters: ReadonlyMap<string, bigint>): Record<string, bigint> {
  const named = [...counters].map(([name, count]): [string, bigint] => {
    const [, decision = "", reason = ""] = /decision=\.=(\w+);.*reason=\.=(\w+);/.exec(name) ?? [];
    return [`${decision} by ${reason}`, count];
  });
  return Object.fromEntries(named.filter(([, count]) => count > 0n));
}

test("a peer within an allowed range passes, and no other", () => {
  const { host, open } = plugin.start({ allow: ["10.0.0.0/8", "2001:db8::/32"] });
  const answers = ["10.1.2.3:4711", "[2001:db8::7]:4711", "11.0.0.1:80", "[2001:db9::1]:80"].map(
    (address) => {
      const stream = open({ properties: { source: { address } } });
      stream.requestHeaders([[":path", "/"]]);
      return stream.localResponse?.status ?? 200;
    },
  );
  expect(answers).toEqual([200, 200, 403, 403]);
  expect(counts(host.counters)).toEqual({ "allow by allow": 2n, "deny by default": 2n });
});

test("a denial has the status, body and details that are set", () => {
  const { open } = plugin.start({
    deny: ["192.0.2.0/24"],
    defaultAction: "allow",
    status: 451,
    body: "not here",
  });
  const stream = open({ properties: { source: { address: "192.0.2.1:1" } } });
  stream.requestHeaders([[":path", "/"]]);
  expect(stream).toRespond(451, "not here");
  expect(stream.localResponse?.details).toBe("ip_allow_denied");
});

test("a dry run lets everybody pass and counts whom it would deny", () => {
  const { host, open } = plugin.start({ allow: ["10.0.0.0/8"], dryRun: true });
  for (const address of ["10.0.0.1:1", "11.0.0.1:1", "/tmp/socket"]) {
    const stream = open({ properties: { source: { address } } });
    stream.requestHeaders([[":path", "/"]]);
    expect(stream.localResponse).toBeNull();
  }
  expect(counts(host.counters)).toEqual({
    "allow by allow": 1n,
    "would_deny by default": 1n,
    "would_deny by unknown": 1n,
  });
});

test("the longest range decides; of two equal ones, deny", () => {
  const { isAllowed } = asked({
    allow: ["10.0.0.0/8", "10.1.2.0/24", "10.9.0.0/16"],
    deny: ["10.1.0.0/16", "10.1.2.3", "10.9.0.0/16"],
  });
  expect(isAllowed("10.2.0.1")).toBe(true);
  expect(isAllowed("10.1.0.1")).toBe(false);
  expect(isAllowed("10.1.2.1")).toBe(true);
  expect(isAllowed("10.1.2.3")).toBe(false);
  expect(isAllowed("10.9.0.1")).toBe(false);
});

test("the families are apart, and IPv4 written as IPv6 is IPv4", () => {
  const v6 = asked({ allow: ["::/0"] });
  expect(v6.isAllowed("2001:db8::1")).toBe(true);
  expect(v6.isAllowed("10.0.0.1")).toBe(false);
  expect(v6.isAllowed("::ffff:10.0.0.1")).toBe(false);
  const v4 = asked({ allow: ["::ffff:10.0.0.0/104", "::ffff:c000:201"] });
  expect(v4.isAllowed("10.1.2.3")).toBe(true);
  expect(v4.isAllowed("[::ffff:10.1.2.3]:80")).toBe(true);
  expect(v4.isAllowed("192.0.2.1")).toBe(true);
  expect(v4.isAllowed("192.0.2.2")).toBe(false);
});

test.each([
  [1, ["6.6.6.6, 10.0.0.1"], true],
  [1, ["10.0.0.1, 6.6.6.6"], false],
  [1, ["10.0.0.1", "6.6.6.6"], false],
  [1, ["6.6.6.6", "10.0.0.1"], true],
  [2, ["6.6.6.6, 10.0.0.1, 172.16.0.1"], true],
  [2, ["10.0.0.1", "6.6.6.6, 172.16.0.1"], false],
  [2, ["6.6.6.6,10.0.0.1", "172.16.0.1"], true],
  [3, ["10.0.0.1, 172.16.0.1"], false],
  [2, ["10.0.0.1"], false],
  [2, [",10.0.0.1"], false],
  [1, ["10.0.0.1,"], false],
  [1, [""], false],
  [1, [], false],
])("with %j trusted hops, x-forwarded-for %j is allowed: %j", (trustedHops, values, allowed) => {
  const { isAllowed } = asked({ allow: ["10.0.0.0/8"], trustedHops });
  expect(isAllowed(...values)).toBe(allowed);
});

test("a client that appends to no header cannot choose its address", () => {
  const { host, open } = plugin.start({
    source: "header",
    header: "True-Client-IP",
    allow: ["::1"],
  });
  const stream = open();
  stream.requestHeaders([
    ["true-client-ip", "::1"],
    ["x-forwarded-for", "::1"],
    ["true-client-ip", "::2"],
  ]);
  expect(stream).toRespond(403);
  expect(counts(host.counters)).toEqual({ "deny by default": 1n });
});

test.each([
  "10.0.0.01",
  "10.0.0",
  "10.0.0.0.1",
  "10.0.0.256",
  "10.0.0.1/32",
  "0x0a000001",
  "10.0.0.1:",
  "10.0.0.1:70000",
  "10.0.0.1:-1",
  "10.0.0.1:8x",
  "[10.0.0.1]",
  "[::1",
  "[::1]x",
  "[::1]:x",
  "::1]",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::12345",
  "::g",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "::1.2.3",
  "1.2.3.4::",
  "1:2:3:4:5:6:7:1.2.3.4",
  "fe80::1%eth0",
  "unknown",
  "_hidden",
  "::ffff:10.0.0.256",
  "10.0.0.1 10.0.0.1",
  "１0.0.0.1",
  "\u0000",
])("%j is no address and is denied, also where others are allowed", (text) => {
  const { host, isAllowed } = asked({ defaultAction: "allow" });
  expect(isAllowed(text)).toBe(false);
  expect(counts(host.counters)).toEqual({ "deny by unknown": 1n });
  expect(asked({ defaultAction: "allow", unknownAction: "allow" }).isAllowed(text)).toBe(true);
});

test("an address that Envoy has out of a header is no peer's", () => {
  const answerTo = (source: string, address: string) => {
    const stream = plugin
      .start({ source, allow: ["10.0.0.0/8"] })
      .open({ properties: { source: { address } } });
    stream.requestHeaders([[":path", "/"]]);
    return stream.localResponse?.status ?? 200;
  };
  expect(answerTo("peer", "10.0.0.1:4711")).toBe(200);
  expect(answerTo("peer", "10.0.0.1:0")).toBe(403);
  expect(answerTo("peer", "[::ffff:10.0.0.1]:0")).toBe(403);
  expect(answerTo("peer", "10.0.0.1:10")).toBe(200);
  expect(answerTo("remote", "10.0.0.1:0")).toBe(200);
});

test("a request without an address is denied unless told otherwise", () => {
  const { open } = plugin.start({ defaultAction: "allow" });
  const stream = open();
  stream.requestHeaders([[":path", "/"]]);
  expect(stream).toRespond(403, "access denied\n");
});

test.each([
  [{ allow: ["10.0.0.0/33"] }, "allow[0] is no address and no range like 10.0.0.0/8 or"],
  [{ allow: ["::1", "::/129"] }, "allow[1] is no address and no range like"],
  [{ deny: ["10.0.0.0/"] }, "deny[0] is no address and no range like"],
  [{ deny: ["10.0.0.0/-1"] }, "deny[0] is no address and no range like"],
  [{ deny: [""] }, "deny[0] is no address and no range like"],
  [{ deny: ["example.com"] }, "deny[0] is no address and no range like"],
  [{ deny: ["10.0.0.1/8"] }, "deny[0] is no range: bits behind its length are set, at byte 9"],
  [{ deny: ["2001:db8::1/64"] }, "deny[0] is no range: bits behind its length are set"],
  [{ deny: ["::ffff:0.0.0.0/90"] }, "deny[0] is no range: bits behind its length are set"],
  [{ deny: "10.0.0.0/8" }, "deny: expected an array, found a string"],
  [{}, "configuration allows nobody: fill allow, or set defaultAction to allow"],
  [{ defaultAction: "drop" }, "defaultAction: must be deny or allow"],
  [{ allow: ["::1"], header: "a b" }, "configuration has a header whose name is none"],
  [{ source: "xff" }, "source: must be peer, remote or header"],
  [{ allow: ["::1"], trustedHops: 0 }, "trustedHops: must be at least 1"],
  [{ allow: ["::1"], status: 200 }, "status: must be at least 400"],
])("%j is refused", (configuration, problem) => {
  expect(plugin.refusal(configuration)).toContain(`ip-allow: ${problem}`);
});

// Addresses lie close together, so that ranges nest, meet and miss.
const quad = fc.tuple(
  fc.constantFrom(10, 11, 192),
  fc.constantFrom(0, 1, 128, 255),
  fc.constantFrom(0, 1, 2, 255),
  fc.nat(255),
);
const v4 = quad.map((parts) => parts.join("."));
const group = fc.constantFrom("0", "1", "ff", "8000", "ffff");
const v6 = fc
  .tuple(fc.constantFrom("2001", "fe80", "0"), fc.array(group, { minLength: 7, maxLength: 7 }))
  .map(([first, rest]) => [first, ...rest].join(":"))
  // Those are of IPv4, and in no range of IPv6; for Node they are in both.
  .filter((address) => !address.startsWith("0:0:0:0:0:ffff:"));

interface Range {
  readonly address: string;
  readonly length: number;
}

const range = fc.oneof(
  fc.record({ address: v4, length: fc.nat(32) }),
  fc.record({ address: v6, length: fc.nat(128) }),
);

function bitsOf(address: string): { bits: bigint; width: bigint } {
  const [parts, width] = isIPv6(address) ? [address.split(":"), 128n] : [address.split("."), 32n];
  const [size, radix] = width === 128n ? [16n, 16] : [8n, 10];
  const bits = parts.reduce(
    (sum, part) => (sum << size) | BigInt(Number.parseInt(part, radix)),
    0n,
  );
  return { bits, width };
}

/** The range without the bits behind its length. */
function masked({ address, length }: Range): string {
  const { bits, width } = bitsOf(address);
  const free = width - BigInt(length);
  const base = (bits >> free) << free;
  const [size, count, radix, sign] = width === 128n ? [16n, 8, 16, ":"] : [8n, 4, 10, "."];
  const parts = Array.from({ length: count }, (_, i) =>
    ((base >> (size * BigInt(count - 1 - i))) & ((1n << size) - 1n)).toString(radix),
  );
  return `${parts.join(sign)}/${length}`;
}

/** The longest of the ranges that Node finds an address in, or -1. */
function longestIn(ranges: readonly Range[], address: string): number {
  const lengths = ranges.filter((each) => {
    if (isIPv6(each.address) !== isIPv6(address)) return false;
    const list = new BlockList();
    const [base = "", length] = masked(each).split("/");
    list.addSubnet(base, Number(length), isIPv6(base) ? "ipv6" : "ipv4");
    return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  });
  return Math.max(-1, ...lengths.map(({ length }) => length));
}

test("the trie decides as Node's BlockList does", () => {
  const lists = fc.record({
    allow: fc.array(range, { minLength: 1, maxLength: 40 }),
    deny: fc.array(range, { maxLength: 40 }),
    strangers: fc.array(fc.oneof(v4, v6), { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(lists, ({ allow, deny, strangers }) => {
      const { isAllowed } = asked({ allow: allow.map(masked), deny: deny.map(masked) });
      for (const address of [...strangers, ...[...allow, ...deny].map((each) => each.address)]) {
        const [allowed, denied] = [longestIn(allow, address), longestIn(deny, address)];
        expect([address, isAllowed(address)]).toEqual([address, allowed > denied]);
      }
    }),
    { numRuns: 100 },
  );
});

test("whatever stands in the header, nothing traps", () => {
  const { host, isAllowed } = asked({ allow: ["10.0.0.0/8", "::1"], trustedHops: 2 });
  const hostile = fc.string({ unit: fc.constantFrom(..."0123456789abcdefF:.,[]%/ \t-é") });
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 3 }), (values) => {
      isAllowed(...values);
    }),
  );
  expect(host.hasFailed).toBe(false);
});

/** As many ranges as a list may have, every other one of IPv6, from the first group on. */
function fullList(first: number): string[] {
  return Array.from({ length: 32_768 }, (_, i) => {
    const [high, low] = [i >> 8, i & 255];
    return i % 2 === 0 ? `${first}.${high}.${low}.0/24` : `2001:db${first}:${i.toString(16)}::/48`;
  });
}

test("two lists as long as they may be load, and their ranges are found", () => {
  const { host, isAllowed } = asked({ allow: fullList(10), deny: fullList(11) });
  expect(isAllowed("10.127.254.77")).toBe(true);
  expect(isAllowed("10.127.255.77")).toBe(false);
  expect(isAllowed("2001:db10:7fff::1")).toBe(true);
  expect(isAllowed("2001:db11:7fff::1")).toBe(false);
  expect(counts(host.counters)).toMatchObject({ "deny by deny": 1n, "deny by default": 1n });
  // What a module of the SDK's may have.
  expect(host.pages).toBeLessThan(1_024);
});

test("one range more than there may be is refused", () => {
  const refusal = plugin.refusal({ allow: [...fullList(10), "::1"] });
  expect(refusal).toContain("allow[32768] is one range too many");
});

test("memory stays flat over many requests", () => {
  const { host, isAllowed } = asked({ allow: ["10.0.0.0/8"], trustedHops: 2 });
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) isAllowed("6.6.6.6", "10.0.0.1, 172.16.0.1");
  };
  run(1_000);
  const { pages } = host;
  run(20_000);
  expect(host.pages).toBe(pages);
});

test("it stays within its budget", () => checkBudget(import.meta.dirname));
