import { generateKeyPairSync } from "node:crypto";
import type { AuthorityLog } from "@weft/core/journal";
import type { Clock, Logger } from "@weft/core/runtime";
import { BACKDATE_MS } from "./issue.ts";
import { halfLife, keepRenewed } from "./renewal.ts";
import type { Root } from "./root.ts";
import type { Issuer } from "./x509.ts";

/** The certificate this replica signs with. */
export interface Intermediate extends AsyncDisposable {
  current(): Issuer;
}

export interface IntermediateOptions {
  readonly replica: string;
  readonly root: Root;
  readonly authority: AuthorityLog;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Makes this replica's intermediate and renews it, with a new key, at half of its life. Its key is
 * made here and is never written anywhere; it signs nothing before its certificate is in the log.
 *
 * @throws WeftError as `Root.signIntermediate` and `AuthorityLog.change`
 */
export async function createIntermediate(options: IntermediateOptions): Promise<Intermediate> {
  const { replica, root, authority, ttlMs, clock, log } = options;
  const stop = new AbortController();
  let current = await make();

  async function make(): Promise<{ issuer: Issuer; dueAtMs: number }> {
    const nowMs = clock.now();
    const notAfterMs = Math.min(nowMs + ttlMs, root.notAfterMs);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const validity = { notBeforeMs: nowMs - BACKDATE_MS, notAfterMs };
    const issuer = await root.signIntermediate(privateKey, validity);
    const { certificateDer } = issuer;
    await authority.change(`replica:${replica}`, () => ({
      case: "intermediateActivated",
      value: { replica, certificateDer },
    }));
    return { issuer, dueAtMs: halfLife(nowMs, notAfterMs) };
  }

  const renewing = keepRenewed({
    what: "intermediate",
    dueAtMs: () => current.dueAtMs,
    async renew() {
      current = await make();
    },
    clock,
    log,
    signal: stop.signal,
  });
  return {
    current: () => current.issuer,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await renewing;
    },
  };
}
