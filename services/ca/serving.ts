import { constants, generateKeyPairSync } from "node:crypto";
import type { SecureServerOptions } from "node:http2";
import { CONTROL_PLANE } from "@weft/core/mesh";
import type { Clock, Logger } from "@weft/core/runtime";
import type { Certified, Certify } from "./certify.ts";
import { halfLife, keepRenewed } from "./renewal.ts";
import { subjectKeyOf } from "./x509.ts";

/** What this process shows to those who connect to it. */
export interface ServingIdentity {
  /** PKCS#8, PEM. */
  readonly key: string;
  /** Leaf and intermediate, PEM. */
  readonly cert: string;
  /** The roots that client certificates must lead to, PEM. */
  readonly ca: readonly string[];
}

/** This process's own certificate: `spiffe://<trust domain>/ns/weft-system/sa/weft`, and no DNS name. */
export interface Serving extends AsyncDisposable {
  current(): ServingIdentity;
  /** Calls back with each new identity; answers how to end that. */
  onRenew(listener: (identity: ServingIdentity) => void): () => void;
}

export interface ServingOptions {
  readonly trustDomain: string;
  readonly certify: (request: Certify) => Promise<Certified>;
  readonly roots: () => readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * How a server of ours speaks TLS, for `createSecureServer` and, with each new identity, for
 * `setSecureContext`. A client certificate is asked for but not demanded, since who brings a join
 * token has none yet: handlers look at the peer. No session is resumed: a ticket would let a
 * certificate in whose authority has been removed.
 */
export function servingTlsOptions(identity: ServingIdentity): SecureServerOptions {
  return {
    key: identity.key,
    cert: identity.cert,
    ca: [...identity.ca],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ["h2"],
    allowHTTP1: false,
  };
}

/** Makes the first certificate and renews it, with a new key, at half of its life. */
export async function createServing(options: ServingOptions): Promise<Serving> {
  const { trustDomain, certify, roots, clock, log } = options;
  const listeners = new Set<(identity: ServingIdentity) => void>();
  const stop = new AbortController();
  let current = await make();

  async function make(): Promise<{ identity: ServingIdentity; dueAtMs: number }> {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { chain, notAfterMs } = await certify({
      caller: { attestor: "replica", workload: { trustDomain, ...CONTROL_PLANE } },
      key: subjectKeyOf(privateKey),
      ttlSeconds: 0n,
      evidenceSha256: new Uint8Array(),
    });
    const identity: ServingIdentity = {
      key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
      cert: chain[0] + chain[1],
      ca: roots(),
    };
    return { identity, dueAtMs: halfLife(clock.now(), notAfterMs) };
  }

  const renewing = keepRenewed({
    what: "serving certificate",
    dueAtMs: () => current.dueAtMs,
    async renew() {
      current = await make();
      for (const listener of listeners) listener(current.identity);
    },
    clock,
    log,
    signal: stop.signal,
  });
  return {
    current: () => current.identity,
    onRenew(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await renewing;
    },
  };
}
