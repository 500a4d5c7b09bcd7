import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type AuthorityChange,
  AuthorityChangeSchema,
  type JoinTokenCreated,
} from "@weft/proto/weft/event/v1/ca_pb.ts";
import { assert, WeftError } from "../error.ts";

/** Who may say who is who: what all changes on `weft.<mesh>.ca.authority` left. */
export interface Authority {
  /** Revision of the last change folded; 0 before the first. */
  readonly revision: number;
  /** What workloads trust, oldest first. */
  readonly roots: readonly TrustRoot[];
  /** The certificate that each replica signs with, DER, by the replica's name. */
  readonly intermediates: ReadonlyMap<string, Uint8Array>;
  /** By the lower-case hex SHA-256 of the token. */
  readonly tokens: ReadonlyMap<string, JoinToken>;
}

export interface TrustRoot {
  readonly certificateDer: Uint8Array;
  readonly activatedAtRevision: number;
}

/** A promise to take whoever brings the token for one workload, once. */
export interface JoinToken extends Workload {
  /** Ms since the epoch. */
  readonly expiresAtMs: number;
  /** Lower-case hex SHA-256 of the public key it was spent on. */
  readonly usedBySpki?: string;
}

/** Whom a certificate names: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */
export interface Workload {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** What a decision adds to the log. */
export type AuthorityDecision = MessageInitShape<typeof AuthorityChangeSchema>["kind"] & object;

export interface CreateToken extends Workload {
  /** SHA-256 of the token's UTF-8 text as it will stand behind `Bearer `, 32 bytes. */
  readonly tokenSha256: Uint8Array;
  /** 0 for the default. */
  readonly ttlMs: number;
  readonly nowMs: number;
}

export interface UseToken {
  readonly tokenSha256: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo that the certificate will hold, 32 bytes. */
  readonly spkiSha256: Uint8Array;
  readonly nowMs: number;
}

export interface TokenUse {
  readonly workload: Workload;
  /** What to append before the certificate is made; undefined for a retry of the same key. */
  readonly decision: AuthorityDecision | undefined;
}

/** Long enough to carry a token to a machine and start an agent there. */
export const TOKEN_TTL_DEFAULT_MS = 3_600_000;

/** A token is a password: none lives longer than a day. */
export const TOKEN_TTL_MAX_MS = 24 * 3_600_000;

/** Tokens alive at once. Each change copies the table, and a mesh joins by hundreds at a time. */
export const TOKENS_MAX = 10_000;

/** Kubernetes' longest name; two of them and a trust domain stay far below SPIFFE's 2,048 bytes. */
const SEGMENT_LENGTH_MAX = 253;

const SHA256_BYTES = 32;

/** The name of the control plane itself: it makes its own certificates, and nobody joins as it. */
export const CONTROL_PLANE: Workload = { namespace: "weft-system", serviceAccount: "weft" };

export const emptyAuthority: Authority = {
  revision: 0,
  roots: [],
  intermediates: new Map(),
  tokens: new Map(),
};

/** The authority after one more change. Expired tokens are forgotten when a new one is made. */
export function evolveAuthority(
  authority: Authority,
  { kind, at }: AuthorityChange,
  revision: number,
): Authority {
  switch (kind.case) {
    case "rootActivated": {
      const { certificateDer } = kind.value;
      const root: TrustRoot = { certificateDer, activatedAtRevision: revision };
      return { ...authority, revision, roots: [...authority.roots, root] };
    }
    case "intermediateActivated": {
      const { replica, certificateDer } = kind.value;
      const intermediates = new Map(authority.intermediates).set(replica, certificateDer);
      return { ...authority, revision, intermediates };
    }
    case "joinTokenCreated": {
      const atMs = at === undefined ? 0 : timestampMs(at);
      return { ...authority, revision, tokens: withToken(authority.tokens, kind.value, atMs) };
    }
    case "joinTokenUsed": {
      const id = hex(kind.value.tokenSha256);
      const token = authority.tokens.get(id);
      // The first use counts: writers expect the last revision, so a second one is a broken writer.
      if (token === undefined || token.usedBySpki !== undefined) return { ...authority, revision };
      const used: JoinToken = { ...token, usedBySpki: hex(kind.value.spkiSha256) };
      return { ...authority, revision, tokens: new Map(authority.tokens).set(id, used) };
    }
    case undefined:
      assert(false, `authority change ${revision} is of no kind that this program knows`);
  }
}

/**
 * Decides on a new token.
 *
 * @throws WeftError invalid `ca.bad_identity`: the names do not fit into a SPIFFE ID, or are the
 *   control plane's own. Invalid `ca.bad_ttl`. Unavailable `ca.busy`: too many tokens are alive.
 *   Conflict `log.conflict`: there is such a token already.
 */
export function decideCreateToken(authority: Authority, command: CreateToken): AuthorityDecision {
  const { tokenSha256, ttlMs, nowMs } = command;
  assert(tokenSha256.length === SHA256_BYTES, "a token is known by its SHA-256");
  const { namespace, serviceAccount } = checkWorkload(command);
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 0 || ttlMs > TOKEN_TTL_MAX_MS) {
    const [asked, max] = [`${ttlMs / 1000} s`, `${TOKEN_TTL_MAX_MS / 1000} s`];
    throw new WeftError("invalid", "ca.bad_ttl", `a token for ${asked}; at most ${max} is given`);
  }
  if (authority.tokens.has(hex(tokenSha256))) {
    throw new WeftError("conflict", "log.conflict", "there is such a token already");
  }
  const alive = [...authority.tokens.values()].filter((token) => token.expiresAtMs > nowMs);
  if (alive.length >= TOKENS_MAX) {
    throw new WeftError("unavailable", "ca.busy", `${TOKENS_MAX} tokens are alive already`);
  }
  const expiresAt = timestampFromMs(nowMs + (ttlMs === 0 ? TOKEN_TTL_DEFAULT_MS : ttlMs));
  return {
    case: "joinTokenCreated",
    value: { tokenSha256, namespace, serviceAccount, expiresAt },
  };
}

/**
 * Decides whether a token may be spent on a key, and for which workload. The same key may come
 * again until the token expires, because an answer may have been lost on the way.
 *
 * @throws WeftError denied `ca.denied`: the token is unknown, expired, or spent on another key.
 */
export function decideUseToken(authority: Authority, command: UseToken): TokenUse {
  const { tokenSha256, spkiSha256, nowMs } = command;
  const token = authority.tokens.get(hex(tokenSha256));
  if (token === undefined) throw denied("the join token is unknown");
  if (token.expiresAtMs <= nowMs) throw denied("the join token has expired");
  const workload = { namespace: token.namespace, serviceAccount: token.serviceAccount };
  if (token.usedBySpki === hex(spkiSha256)) return { workload, decision: undefined };
  if (token.usedBySpki !== undefined) throw denied("the join token was used by another key");
  return { workload, decision: { case: "joinTokenUsed", value: { tokenSha256, spkiSha256 } } };
}

/** Whether a name may be a segment of a SPIFFE ID's path (SPIFFE-ID, section 2.2). */
export function isSpiffeSegment(name: string): boolean {
  if (name === "." || name === ".." || name.length > SEGMENT_LENGTH_MAX) return false;
  return /^[a-zA-Z0-9._-]+$/.test(name);
}

/** Whether two names are the control plane's own. */
export function isControlPlane({ namespace, serviceAccount }: Workload): boolean {
  return namespace === CONTROL_PLANE.namespace && serviceAccount === CONTROL_PLANE.serviceAccount;
}

/** The whole event of a decision. */
export function authorityChange(
  decision: AuthorityDecision,
  { atMs, ...fields }: { id: string; mesh: string; actor: string; atMs: number },
): AuthorityChange {
  const at = timestampFromMs(atMs);
  return create(AuthorityChangeSchema, { ...fields, schema: AUTHORITY_SCHEMA, at, kind: decision });
}

/** The version of AuthorityChange that this program writes, and the newest that it reads. */
export const AUTHORITY_SCHEMA = 1;

function checkWorkload(workload: Workload): Workload {
  const { namespace, serviceAccount } = workload;
  for (const [what, name] of [
    ["namespace", namespace],
    ["service account", serviceAccount],
  ] as const) {
    if (isSpiffeSegment(name)) continue;
    const shown = JSON.stringify(name.slice(0, SEGMENT_LENGTH_MAX));
    const message = `${what} ${shown} cannot be part of a SPIFFE ID`;
    throw new WeftError("invalid", "ca.bad_identity", message);
  }
  if (isControlPlane(workload)) {
    const message = `${namespace}/${serviceAccount} is the control plane itself`;
    throw new WeftError("invalid", "ca.bad_identity", message);
  }
  return workload;
}

function withToken(
  tokens: Authority["tokens"],
  { tokenSha256, namespace, serviceAccount, expiresAt }: JoinTokenCreated,
  atMs: number,
): Authority["tokens"] {
  const id = hex(tokenSha256);
  const alive = new Map([...tokens].filter(([, token]) => token.expiresAtMs > atMs));
  const expiresAtMs = expiresAt === undefined ? 0 : timestampMs(expiresAt);
  // A second creation must not make a spent token good again.
  return alive.has(id) ? alive : alive.set(id, { namespace, serviceAccount, expiresAtMs });
}

function denied(message: string): WeftError {
  return new WeftError("denied", "ca.denied", message);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
