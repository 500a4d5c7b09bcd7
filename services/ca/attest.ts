import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { WeftError } from "@weft/core/error";
import type { AuthorityLog } from "@weft/core/journal";
import { decideUseToken } from "@weft/core/mesh";
import type { GrpcCall } from "@weft/core/runtime";
import type { Csr } from "./csr.ts";
import { type Caller, workloadOfPeer } from "./issue.ts";

/** What a caller showed to prove who it is. */
export type Evidence =
  | { readonly kind: "x509"; readonly uri: string; readonly sha256: Uint8Array }
  | { readonly kind: "join_token"; readonly sha256: Uint8Array };

/** A longer token is none of ours, and is not worth hashing. */
const TOKEN_LENGTH_MAX = 4_096;

/**
 * What a call shows: the certificate of its connection or, without one that TLS has verified, a join
 * token. The certificate goes first, because agents send their token for ever.
 *
 * @throws WeftError denied `ca.denied`: neither, or over a connection that others can read.
 */
export function evidenceOf({ peer, headers, stream }: GrpcCall, nowMs: number): Evidence {
  if (stream.session?.encrypted !== true) throw denied("certificates are only given over TLS");
  if (peer.spiffeId !== undefined) {
    const socket = stream.session?.socket as TLSSocket | undefined;
    const certificate = socket?.getPeerX509Certificate();
    if (certificate === undefined) throw denied("the connection is gone");
    // TLS looked once, at the beginning of a connection that may be older than the certificate.
    if (certificate.validToDate.getTime() <= nowMs) {
      throw denied("the client certificate has expired");
    }
    return { kind: "x509", uri: peer.spiffeId, sha256: sha256(certificate.raw) };
  }
  const token = /^Bearer ([^\s]+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  if (token === "" || token.length > TOKEN_LENGTH_MAX) {
    throw denied("the call has neither a client certificate nor a join token");
  }
  return { kind: "join_token", sha256: sha256(token) };
}

/** Finds out who a caller is, and spends its token on the key of its request. */
export function createAttestor(options: {
  readonly authority: AuthorityLog;
  readonly trustDomain: string;
  readonly replica: string;
  readonly now: () => number;
}): (evidence: Evidence, csr: Csr) => Promise<Caller> {
  const { authority, trustDomain, replica, now } = options;

  async function attestToken(tokenSha256: Uint8Array, csr: Csr): Promise<Caller> {
    const use = () =>
      decideUseToken(authority.state, { tokenSha256, spkiSha256: csr.spkiSha256, nowMs: now() });
    // A token may be used the moment after it was made, on another replica than this one.
    const isKnown = authority.state.tokens.has(Buffer.from(tokenSha256).toString("hex"));
    if (!isKnown) await authority.catchUp();
    // First the cheap refusals, then the proof, and only then is the token spent.
    const { workload } = use();
    csr.provePossession();
    await authority.change(`replica:${replica}`, () => use().decision);
    return { attestor: "join_token", workload: { trustDomain, ...workload } };
  }

  return async (evidence, csr) => {
    switch (evidence.kind) {
      case "join_token":
        return attestToken(evidence.sha256, csr);
      case "x509": {
        const workload = workloadOfPeer(evidence.uri);
        csr.provePossession();
        return { attestor: "x509", workload };
      }
    }
  };
}

function sha256(what: string | Uint8Array): Buffer {
  return createHash("sha256").update(what).digest();
}

function denied(message: string): WeftError {
  return new WeftError("denied", "ca.denied", message);
}
