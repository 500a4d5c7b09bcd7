import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSpiffeId, isTrustDomain, parseSpiffeId, trustDomainUri } from "./spiffe.ts";

test("an ID is read as it is written", () => {
  const text = "spiffe://weft.test/ns/default/sa/reviews-v1.2_x";
  const id = { trustDomain: "weft.test", namespace: "default", serviceAccount: "reviews-v1.2_x" };
  expect(parseSpiffeId(text)).toEqual(id);
  expect(formatSpiffeId(id)).toBe(text);
});

test.each([
  "",
  "spiffe://",
  "spiffe://weft.test",
  "spiffe://weft.test/",
  "spiffe:///ns/a/sa/b",
  "https://weft.test/ns/a/sa/b",
  "SPIFFE://weft.test/ns/a/sa/b",
  "spiffe://Weft.test/ns/a/sa/b",
  "spiffe://weft.test:8080/ns/a/sa/b",
  "spiffe://user@weft.test/ns/a/sa/b",
  "spiffe://weft.test/ns/a/sa/b/",
  "spiffe://weft.test/ns/a/sa/b/c",
  "spiffe://weft.test//ns/a/sa/b",
  "spiffe://weft.test/ns//sa/b",
  "spiffe://weft.test/ns/../sa/b",
  "spiffe://weft.test/ns/a/sa/.",
  "spiffe://weft.test/ns/a/sa/b?x=1",
  "spiffe://weft.test/ns/a/sa/b#x",
  "spiffe://weft.test/ns/%61/sa/b",
  "spiffe://weft.test/ns/a/sa/é",
  "spiffe://weft.test/ns/a/sa/b\0",
  "spiffe://weft.test/ns/a/sa/b\n",
  " spiffe://weft.test/ns/a/sa/b",
  `spiffe://weft.test/ns/${"a".repeat(2_048)}/sa/b`,
])("%j is no workload's ID", (text) => {
  expect(() => parseSpiffeId(text)).toThrow("ca.bad_identity");
});

test("whatever is read was written by the same names", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (trustDomain, namespace, serviceAccount) => {
      const id = { trustDomain, namespace, serviceAccount };
      let text: string;
      try {
        text = formatSpiffeId(id);
      } catch {
        return; // refused: nothing to compare
      }
      expect(parseSpiffeId(text)).toEqual(id);
    }),
  );
  const segment = fc.stringMatching(/^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,40}$/);
  fc.assert(
    fc.property(segment, segment, (namespace, serviceAccount) => {
      const id = { trustDomain: "weft.test", namespace, serviceAccount };
      expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id);
    }),
  );
});

test("a trust domain is a name in lower case of at most 255 characters", () => {
  expect(trustDomainUri("cluster.local")).toBe("spiffe://cluster.local");
  expect(isTrustDomain("a".repeat(255))).toBe(true);
  for (const name of ["", "A", "a/b", "a:1", "a b", "a".repeat(256)]) {
    expect(isTrustDomain(name)).toBe(false);
    expect(() => trustDomainUri(name)).toThrow("ca.bad_identity");
  }
});
