import { expect, test } from "vitest";
import { type Caller, decideIssuance, type Policy, workloadOfPeer } from "./issue.ts";

const NOW_MS = Date.UTC(2030, 0, 1, 12, 0, 0, 789);
const policy: Policy = {
  trustDomain: "weft.test",
  ttlDefaultSeconds: 3_600,
  ttlMaxSeconds: 86_400,
};
const reviews: Caller = {
  attestor: "join_token",
  workload: { trustDomain: "weft.test", namespace: "default", serviceAccount: "reviews" },
};
const time = { nowMs: NOW_MS, issuerNotAfterMs: NOW_MS + 7 * 86_400_000 };

function decide(ttlSeconds: number, caller = reviews, at = time) {
  return decideIssuance(policy, caller, { ttlSeconds: BigInt(ttlSeconds) }, at);
}

test("a certificate is the caller's, begins a minute ago and ends as the policy says", () => {
  expect(decide(0)).toEqual({
    uri: "spiffe://weft.test/ns/default/sa/reviews",
    notBeforeMs: Date.UTC(2030, 0, 1, 11, 59, 0),
    notAfterMs: Date.UTC(2030, 0, 1, 13, 0, 0),
  });
});

test.each([
  [60, 60],
  [7_200, 7_200],
  [86_400, 86_400],
  [86_401, 86_400],
  [Number.MAX_SAFE_INTEGER, 86_400],
])("of %d s that are asked for, %d s are given", (asked, given) => {
  expect(decide(asked).notAfterMs).toBe(Date.UTC(2030, 0, 1, 12, 0, 0) + given * 1_000);
});

test.each([-1, 1, 59])("%d s are too few", (asked) => {
  expect(() => decide(asked)).toThrow("ca.bad_ttl");
});

test("no certificate outlives its issuer, and none is made by one that has ended", () => {
  const issuerNotAfterMs = Date.UTC(2030, 0, 1, 12, 0, 30);
  expect(decide(0, reviews, { nowMs: NOW_MS, issuerNotAfterMs }).notAfterMs).toBe(issuerNotAfterMs);
  const ended = { nowMs: NOW_MS, issuerNotAfterMs: NOW_MS };
  expect(() => decide(0, reviews, ended)).toThrow("ca.no_root");
});

test("a caller of another trust domain gets nothing", () => {
  const workload = { ...reviews.workload, trustDomain: "other.test" };
  expect(() => decide(0, { attestor: "x509", workload })).toThrow("ca.denied");
});

test("the control plane's name is for the control plane, and that for nothing else", () => {
  const weft = { trustDomain: "weft.test", namespace: "weft-system", serviceAccount: "weft" };
  for (const attestor of ["x509", "join_token"] as const) {
    expect(() => decide(0, { attestor, workload: weft })).toThrow("ca.denied");
  }
  expect(decide(0, { attestor: "replica", workload: weft }).uri).toBe(
    "spiffe://weft.test/ns/weft-system/sa/weft",
  );
  expect(() => decide(0, { ...reviews, attestor: "replica" })).toThrow("ca.denied");
});

test("names that do not fit into an ID are refused, however they came about", () => {
  const workload = { ...reviews.workload, serviceAccount: "a/../b" };
  expect(() => decide(0, { ...reviews, workload })).toThrow("ca.bad_identity");
});

test("a signing certificate is no workload's", () => {
  expect(workloadOfPeer("spiffe://weft.test/ns/default/sa/reviews")).toEqual(reviews.workload);
  expect(() => workloadOfPeer("spiffe://weft.test")).toThrow("ca.denied");
});
