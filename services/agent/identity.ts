import { generateKeyPairSync } from "node:crypto";
import { WeftError } from "@weft/core/error";
import type { Clock, Logger } from "@weft/core/runtime";
import { type AuthorityOptions, requestCertificate } from "./authority.ts";
import { checkIdentity, type Identity } from "./certificate.ts";
import { createCsr } from "./csr.ts";
import { createBackoff, pause } from "./pause.ts";
import { loadIdentity, storeIdentity } from "./state.ts";

export interface IdentityOptions extends AuthorityOptions {
  readonly spiffeId: string;
  /** Trusted whatever the CA says, PEM. */
  readonly pinnedRoots: readonly string[];
  /** One-time join token; needed where no identity was kept. */
  readonly token?: string;
  /** Where the identity outlives the process; nowhere if undefined. */
  readonly stateFolder?: string;
  /** How long to ask for the first certificate before giving up. */
  readonly startMsMax: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

/** The identity of a workload, kept fresh. */
export interface IdentityKeeper extends AsyncDisposable {
  current(): Identity;
  /** Calls back with each new identity; answers how to end that. */
  onRenew(listener: (identity: Identity) => void): () => void;
}

/** Soon enough after a hiccup, and far from a storm when a CA comes back to all of its agents. */
const RETRY_MS = 200;
const RETRY_MS_MAX = 10_000;

/** Spreads the renewals of workloads that started together: this part of a life around its half. */
const JITTER = 0.1;

/** Between two renewals, however short a life a CA gives: its mistake shall not become a storm. */
const RENEWAL_MS_MIN = 1_000;

/** Looks at the clock at least so often: clocks are set, machines sleep, and timers end at 24 days. */
const CHECK_MS_MAX = 60_000;

/**
 * Gets the first certificate, and renews it with a new key about half way through its life. An
 * identity that was kept in the state folder is taken up and renewed by itself. What goes wrong with
 * a renewal is tried again, and the old identity stays until there is a new one.
 *
 * @throws WeftError denied `agent.refused` at once, else unavailable `agent.unreachable` or invalid
 *   `agent.bad_certificate` when the time is over.
 */
export async function createIdentityKeeper(options: IdentityOptions): Promise<IdentityKeeper> {
  const { stateFolder, clock, log } = options;
  const listeners = new Set<(identity: Identity) => void>();
  const stopping = new AbortController();
  const kept =
    stateFolder === undefined
      ? undefined
      : loadIdentity(stateFolder, { ...options, nowMs: clock.now() });
  let current = kept ?? (await obtainFirst(options));
  let heldSinceMs = kept?.notBeforeMs ?? clock.now();
  const keep = (): void => {
    if (stateFolder === undefined) return;
    try {
      storeIdentity(stateFolder, current);
    } catch (err) {
      // The identity is as good as before; only a restart would need a token.
      log.error({ err, stateFolder }, "the identity is not kept");
    }
  };
  if (kept === undefined) keep();

  async function keepRenewed(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      const { notAfterMs } = current;
      const dueAtMs = renewalTime({ heldSinceMs, notAfterMs, random: options.random() });
      log.info({ spiffeId: current.spiffeId, nextAt: new Date(dueAtMs) }, "identity is fresh");
      while (!signal.aborted && clock.now() < dueAtMs) {
        await pause(Math.min(dueAtMs - clock.now(), CHECK_MS_MAX), signal);
      }
      const renewed = await obtain(options, { current: () => current, signal });
      if (renewed === undefined) return;
      current = renewed;
      heldSinceMs = clock.now();
      keep();
      for (const listener of listeners) listener(current);
    }
  }

  const renewing = keepRenewed();
  return {
    current: () => current,
    onRenew(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await renewing;
    },
  };
}

/**
 * Half of a life, give or take: after 45 to 55 % of it. It begins when the certificate came, because
 * a CA dates it back by more than a short life may have.
 */
export function renewalTime(life: {
  readonly heldSinceMs: number;
  readonly notAfterMs: number;
  /** From 0 to 1. */
  readonly random: number;
}): number {
  const { heldSinceMs, notAfterMs, random } = life;
  const waitMs = (notAfterMs - heldSinceMs) * (0.5 + JITTER * (random - 0.5));
  return heldSinceMs + Math.max(waitMs, RENEWAL_MS_MIN);
}

async function obtainFirst(options: IdentityOptions): Promise<Identity> {
  const signals = [AbortSignal.timeout(options.startMsMax), options.signal ?? []].flat();
  let last: unknown;
  const identity = await obtain(options, {
    current: () => undefined,
    signal: AbortSignal.any(signals),
    onFailure(error) {
      if (error.kind === "denied") throw error;
      last = error;
    },
  });
  if (identity !== undefined) return identity;
  if (last !== undefined) throw last;
  const message = `no certificate from ${options.server} before the start was given up`;
  throw new WeftError("unavailable", "agent.unreachable", message);
}

interface Obtain {
  readonly current: () => Identity | undefined;
  readonly signal: AbortSignal;
  onFailure?(error: WeftError): void;
}

/** Asks until there is an answer, with the same key: a token may be spent on that key only. */
async function obtain(
  options: IdentityOptions,
  { current, signal, onFailure }: Obtain,
): Promise<Identity | undefined> {
  const { spiffeId, pinnedRoots, clock, log } = options;
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const csr = createCsr(keys, spiffeId);
  const backoff = createBackoff({ ...options, minMs: RETRY_MS, maxMs: RETRY_MS_MAX });
  while (!signal.aborted) {
    try {
      const known = current();
      const rootsPem = known?.rootsPem ?? pinnedRoots;
      const proof = proofOf(known, options);
      const chain = await requestCertificate(options, { csr, rootsPem, proof, signal });
      const { privateKey } = keys;
      return checkIdentity({ spiffeId, privateKey, chain, pinnedRoots, nowMs: clock.now() });
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      if (signal.aborted) return undefined;
      onFailure?.(error);
      const waitMs = Math.round(backoff.nextMs());
      log.warn({ spiffeId, code: error.code, why: error.rawMessage, waitMs }, "no certificate yet");
      await pause(waitMs, signal);
    }
  }
  return undefined;
}

/** The certificate as long as it is valid: an expired one proves nothing. */
function proofOf(
  known: Identity | undefined,
  { token, clock, spiffeId }: IdentityOptions,
): Identity | { readonly token: string } {
  if (known !== undefined && known.notAfterMs > clock.now()) return known;
  if (token !== undefined) return { token };
  const message = `${spiffeId} has neither a valid certificate nor a join token`;
  throw new WeftError("denied", "agent.refused", message);
}
