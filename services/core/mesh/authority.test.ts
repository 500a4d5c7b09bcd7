import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { AuthorityChange } from "@weft/proto/weft/event/v1/ca_pb.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Authority,
  type AuthorityDecision,
  authorityChange,
  decideCreateToken,
  decideUseToken,
  emptyAuthority,
  evolveAuthority,
  isSpiffeSegment,
  TOKEN_TTL_DEFAULT_MS,
  TOKEN_TTL_MAX_MS,
  TOKENS_MAX,
} from "./authority.ts";

const NOW_MS = Date.UTC(2030, 0, 1);
const token = new Uint8Array(32).fill(0xaa);
const key = new Uint8Array(32).fill(1);
const otherKey = new Uint8Array(32).fill(2);
const reviews = { namespace: "default", serviceAccount: "reviews" };

function event(decision: AuthorityDecision, atMs = NOW_MS): AuthorityChange {
  return authorityChange(decision, { id: "id", mesh: "test", actor: "tester", atMs });
}

/** The authority after these decisions, from revision 1 on. */
function given(...decisions: AuthorityDecision[]): Authority {
  return decisions.reduce(
    (state, each, index) => evolveAuthority(state, event(each), index + 1),
    emptyAuthority,
  );
}

const created: AuthorityDecision = {
  case: "joinTokenCreated",
  value: { tokenSha256: token, ...reviews, expiresAt: timestampFromMs(NOW_MS + 60_000) },
};
const used: AuthorityDecision = {
  case: "joinTokenUsed",
  value: { tokenSha256: token, spkiSha256: key },
};

test("roots add up, and a replica's intermediate is its newest", () => {
  const [root, next] = [Uint8Array.of(1), Uint8Array.of(2)];
  const state = given(
    { case: "rootActivated", value: { certificateDer: root } },
    { case: "intermediateActivated", value: { replica: "a", certificateDer: Uint8Array.of(3) } },
    { case: "intermediateActivated", value: { replica: "b", certificateDer: Uint8Array.of(4) } },
    { case: "intermediateActivated", value: { replica: "a", certificateDer: Uint8Array.of(5) } },
    { case: "rootActivated", value: { certificateDer: next } },
  );
  expect(state).toEqual({
    revision: 5,
    roots: [
      { certificateDer: root, activatedAtRevision: 1 },
      { certificateDer: next, activatedAtRevision: 5 },
    ],
    intermediates: new Map([
      ["a", Uint8Array.of(5)],
      ["b", Uint8Array.of(4)],
    ]),
    tokens: new Map(),
  });
});

test("a token is made for one workload and for an hour if nothing else is asked", () => {
  const command = { ...reviews, tokenSha256: token, nowMs: NOW_MS };
  expect(decideCreateToken(emptyAuthority, { ...command, ttlMs: 0 })).toEqual({
    case: "joinTokenCreated",
    value: {
      tokenSha256: token,
      ...reviews,
      expiresAt: timestampFromMs(NOW_MS + TOKEN_TTL_DEFAULT_MS),
    },
  });
  for (const ttlMs of [-1, Number.NaN, 0.5, TOKEN_TTL_MAX_MS + 1]) {
    expect(() => decideCreateToken(emptyAuthority, { ...command, ttlMs })).toThrow("ca.bad_ttl");
  }
});

test.each(["", ".", "..", "a/b", "a b", "é", "%41", "a".repeat(254)])(
  "a token for the namespace %j is refused",
  (namespace) => {
    const command = { tokenSha256: token, namespace, serviceAccount: "a", ttlMs: 0, nowMs: 0 };
    expect(isSpiffeSegment(namespace)).toBe(false);
    expect(() => decideCreateToken(emptyAuthority, command)).toThrow("ca.bad_identity");
  },
);

test("nobody joins as the control plane", () => {
  const command = { namespace: "weft-system", serviceAccount: "weft", ttlMs: 0, nowMs: NOW_MS };
  expect(() => decideCreateToken(emptyAuthority, { tokenSha256: token, ...command })).toThrow(
    "ca.bad_identity",
  );
});

test("the same token is not made twice, and a second creation does not make it good again", () => {
  const command = { ...reviews, tokenSha256: token, ttlMs: 0, nowMs: NOW_MS };
  expect(() => decideCreateToken(given(created), command)).toThrow("log.conflict");
  const state = given(created, used, created);
  expect(() =>
    decideUseToken(state, { tokenSha256: token, spkiSha256: otherKey, nowMs: NOW_MS }),
  ).toThrow("used by another key");
});

test("only so many tokens are alive at once; expired ones do not count and are forgotten", () => {
  const tokens = new Map(
    Array.from({ length: TOKENS_MAX }, (_, index) => [
      index.toString(16).padStart(64, "0"),
      { ...reviews, expiresAtMs: NOW_MS + 1 },
    ]),
  );
  const full: Authority = { ...emptyAuthority, tokens };
  const command = { ...reviews, tokenSha256: token, ttlMs: 1_000 };
  expect(() => decideCreateToken(full, { ...command, nowMs: NOW_MS })).toThrow("ca.busy");
  const decision = decideCreateToken(full, { ...command, nowMs: NOW_MS + 1 });
  const next = evolveAuthority(full, event(decision, NOW_MS + 1), 1);
  expect(next.tokens).toEqual(
    new Map([["aa".repeat(32), { ...reviews, expiresAtMs: NOW_MS + 1_001 }]]),
  );
});

test("a token is spent on one key, which may come again until the token expires", () => {
  const use = { tokenSha256: token, spkiSha256: key, nowMs: NOW_MS };
  expect(decideUseToken(given(created), use)).toEqual({ workload: reviews, decision: used });
  expect(decideUseToken(given(created, used), use)).toEqual({
    workload: reviews,
    decision: undefined,
  });
  expect(() => decideUseToken(given(created, used), { ...use, spkiSha256: otherKey })).toThrow(
    "ca.denied: the join token was used by another key",
  );
  expect(() => decideUseToken(emptyAuthority, use)).toThrow("ca.denied: the join token is unknown");
  expect(() => decideUseToken(given(created), { ...use, nowMs: NOW_MS + 60_000 })).toThrow(
    "ca.denied: the join token has expired",
  );
});

test("whatever the log says after the first use, no second key is ever taken", () => {
  const change = fc.constantFrom<AuthorityDecision>(created, used, {
    case: "joinTokenUsed",
    value: { tokenSha256: token, spkiSha256: otherKey },
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (later) => {
      const state = given(created, used, ...later);
      const use = { tokenSha256: token, spkiSha256: otherKey, nowMs: NOW_MS };
      expect(() => decideUseToken(state, use)).toThrow("ca.denied");
      expect(state.revision).toBe(2 + later.length);
    }),
  );
});

test("a state is never changed, only replaced", () => {
  const before = given(created);
  const copy = structuredClone(before);
  evolveAuthority(before, event(used), 2);
  evolveAuthority(before, event(created, NOW_MS + 120_000), 2);
  expect(before).toEqual(copy);
});
