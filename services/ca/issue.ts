import { WeftError } from "@weft/core/error";
import { isControlPlane } from "@weft/core/mesh";
import { formatSpiffeId, parseSpiffeId, type SpiffeId } from "./spiffe.ts";
import type { Validity } from "./x509.ts";

/** How long certificates live. */
export interface Policy {
  readonly trustDomain: string;
  /** Where the request names no time. */
  readonly ttlDefaultSeconds: number;
  /** Longer wishes are cut to it. */
  readonly ttlMaxSeconds: number;
}

/** What the CA found a caller to be. */
export interface Caller {
  /** How: `x509` by the certificate of the connection, `join_token`, `replica` for ourselves. */
  readonly attestor: "x509" | "join_token" | "replica";
  readonly workload: SpiffeId;
}

export interface Request {
  /** 0 for none. */
  readonly ttlSeconds: bigint;
}

export interface Grant extends Validity {
  readonly uri: string;
}

/** Workloads whose clocks run behind ours take the certificate too. */
export const BACKDATE_MS = 60_000;

/** Below it, an agent would renew all the time and a clock that is off would refuse everything. */
export const TTL_MIN_SECONDS = 60;

/** Istio's default: an agent that cannot reach the CA for half a day keeps working. */
export const TTL_DEFAULT_SECONDS = 24 * 3_600;

/**
 * Decides what certificate a caller gets: its name is the caller's, whatever was asked for, and its
 * time is the wish within the policy and within the issuer's own time, to the second.
 *
 * @throws WeftError denied `ca.denied`: the caller belongs to another trust domain, or would be the
 *   control plane without being it. Invalid `ca.bad_ttl`. Unavailable `ca.no_root`: the issuer has
 *   not enough time left.
 */
export function decideIssuance(
  policy: Policy,
  { attestor, workload }: Caller,
  request: Request,
  time: { readonly nowMs: number; readonly issuerNotAfterMs: number },
): Grant {
  const uri = formatSpiffeId(workload);
  if (workload.trustDomain !== policy.trustDomain) {
    throw denied(`${uri} is not of the trust domain ${policy.trustDomain}`);
  }
  if (isControlPlane(workload) !== (attestor === "replica")) {
    throw denied(`${uri} cannot be asked for`);
  }
  const ttlMs = ttlOf(policy, request.ttlSeconds) * 1_000;
  const notAfterMs = wholeSeconds(Math.min(time.nowMs + ttlMs, time.issuerNotAfterMs));
  if (notAfterMs <= time.nowMs) {
    throw new WeftError("unavailable", "ca.no_root", "the intermediate certificate has expired");
  }
  return { uri, notBeforeMs: wholeSeconds(time.nowMs - BACKDATE_MS), notAfterMs };
}

/**
 * Who asks, by the certificate that TLS has verified.
 *
 * @throws WeftError denied `ca.denied`: it is not a workload's.
 */
export function workloadOfPeer(uri: string): SpiffeId {
  try {
    return parseSpiffeId(uri);
  } catch (cause) {
    throw new WeftError("denied", "ca.denied", "the client certificate is no workload's", {
      cause,
    });
  }
}

/** The wish, at most the policy's. */
function ttlOf(policy: Policy, asked: bigint): number {
  if (asked === 0n) return policy.ttlDefaultSeconds;
  if (asked < BigInt(TTL_MIN_SECONDS)) {
    const message = `a certificate for ${asked} s; at least ${TTL_MIN_SECONDS} s are given`;
    throw new WeftError("invalid", "ca.bad_ttl", message);
  }
  return asked > BigInt(policy.ttlMaxSeconds) ? policy.ttlMaxSeconds : Number(asked);
}

function wholeSeconds(atMs: number): number {
  return Math.floor(atMs / 1_000) * 1_000;
}

function denied(message: string): WeftError {
  return new WeftError("denied", "ca.denied", message);
}
