import { createHash, randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Journal } from "@weft/core/journal";
import { appendSurely } from "@weft/core/journal";
import type { Clock } from "@weft/core/runtime";
import { CertificateIssuedSchema } from "@weft/proto/weft/event/v1/ca_pb.ts";
import { type Caller, decideIssuance, type Grant, type Policy } from "./issue.ts";
import { checkLeaf, type Issuer, issueLeaf, newSerial, pemOf, type SubjectKey } from "./x509.ts";

/** The version of CertificateIssued that this program writes. */
const ISSUED_SCHEMA = 1;

export interface CertifyOptions {
  readonly mesh: string;
  readonly replica: string;
  readonly policy: Policy;
  /** The subject `weft.<mesh>.ca.issued`. */
  readonly issued: Journal;
  /** The intermediate of now. */
  readonly issuer: () => Issuer;
  readonly rootPem: string;
  readonly clock: Clock;
}

export interface Certify {
  /** Who the certificate is for, as attested. */
  readonly caller: Caller;
  readonly key: SubjectKey;
  /** Seconds; 0 for the policy's time. */
  readonly ttlSeconds: bigint;
  /** What proved it; empty for our own. */
  readonly evidenceSha256: Uint8Array;
}

export interface Certified extends Grant {
  /** PEM, one certificate each: leaf, intermediate, root. */
  readonly chain: readonly [string, string, string];
}

/**
 * Makes certificates. None leaves before its event is stored: who holds a certificate can be found in
 * the log, and without the log none is made.
 */
export function createCertifier(options: CertifyOptions): (request: Certify) => Promise<Certified> {
  const { mesh, replica, policy, issued, clock, rootPem } = options;
  return async ({ caller, key, ttlSeconds, evidenceSha256 }) => {
    const issuer = options.issuer();
    const nowMs = clock.now();
    const grant = decideIssuance(
      policy,
      caller,
      { ttlSeconds },
      { nowMs, issuerNotAfterMs: issuer.notAfterMs },
    );
    const serial = newSerial();
    const certificateDer = issueLeaf(issuer, { ...grant, ...key, serial });
    checkLeaf(certificateDer, { issuer, grant });
    const id = randomUUID();
    const event = create(CertificateIssuedSchema, {
      id,
      mesh,
      schema: ISSUED_SCHEMA,
      at: timestampFromMs(nowMs),
      serial: serial.toString("hex"),
      certificateDer,
      spkiSha256: createHash("sha256").update(key.spki).digest(),
      spiffeId: grant.uri,
      issuerSki: issuer.keyIdentifier,
      notBefore: timestampFromMs(grant.notBeforeMs),
      notAfter: timestampFromMs(grant.notAfterMs),
      requestedTtlSeconds: ttlSeconds,
      attestor: caller.attestor,
      evidenceDigest: evidenceSha256,
      principal: caller.attestor === "replica" ? replica : grant.uri,
      replica,
    });
    await appendSurely(issued, toBinary(CertificateIssuedSchema, event), { commandId: id });
    return { ...grant, chain: [pemOf(certificateDer), pemOf(issuer.certificateDer), rootPem] };
  };
}
