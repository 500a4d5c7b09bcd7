import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { WeftError } from "@weft/core/error";

/** What a workload proves itself with, and whom it trusts. Never logged: it holds the key. */
export interface Identity {
  readonly spiffeId: string;
  /** PKCS#8, PEM. */
  readonly keyPem: string;
  /** Leaf first, then intermediates, no root; PEM. */
  readonly chainPem: string;
  /** What peers' certificates must lead to, PEM, one certificate each. Only roots. */
  readonly rootsPem: readonly string[];
  /** Of the leaf, upper-case hex. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CheckOptions {
  readonly spiffeId: string;
  readonly privateKey: KeyObject;
  /** PEM, one certificate each: leaf first, roots last. */
  readonly chain: readonly string[];
  /** Trusted whatever the chain says, PEM. */
  readonly pinnedRoots: readonly string[];
  readonly nowMs: number;
}

/** A leaf, two intermediates and as many roots as a rotation knows; more is not a chain of ours. */
const CHAIN_LENGTH_MAX = 10;

/** How far a CA's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Checks that a chain makes an identity of ours: the leaf has our key and only our name, each
 * certificate is signed by the next, a root ends it, and all of them are valid now. Roots at its end
 * are trusted beside the pinned ones: whoever calls this has authenticated who sent them.
 *
 * @throws WeftError invalid `agent.bad_certificate`
 */
export function checkIdentity(options: CheckOptions): Identity {
  const { spiffeId, privateKey, chain, pinnedRoots, nowMs } = options;
  if (chain.length > CHAIN_LENGTH_MAX) throw bad(`a chain of ${chain.length} certificates`);
  const certificates = chain.map(parse);
  const sent = certificates.filter(isRoot);
  const path = certificates.filter((certificate) => !isRoot(certificate));
  const [leaf] = path;
  if (leaf === undefined) throw bad("the chain has no leaf");
  if (!leaf.publicKey.equals(createPublicKey(privateKey))) throw bad("the leaf has another key");
  const names = urisOf(leaf.subjectAltName);
  if (names.length !== 1 || names[0] !== spiffeId) {
    throw bad(`the leaf is for ${names.join(", ") || "nobody"}, not for ${spiffeId}`);
  }
  const roots = distinct([...pinnedRoots.map(parse), ...sent]).filter(
    (root) => isRoot(root) && root.validToDate.getTime() > nowMs,
  );
  checkPath(path, roots, nowMs);
  return {
    spiffeId,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    chainPem: path.map(String).join(""),
    rootsPem: roots.map(String),
    serial: leaf.serialNumber,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: Math.min(...path.map((certificate) => certificate.validToDate.getTime())),
  };
}

function checkPath(
  path: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  nowMs: number,
): void {
  for (const [index, certificate] of path.entries()) {
    if (certificate.validFromDate.getTime() > nowMs + CLOCK_SKEW_MS) {
      throw bad(`certificate ${index} is not valid before ${certificate.validFrom}`);
    }
    if (certificate.validToDate.getTime() <= nowMs) {
      throw bad(`certificate ${index} has expired at ${certificate.validTo}`);
    }
    const next = path[index + 1];
    const issuers = next === undefined ? roots : [next];
    if (!issuers.some((issuer) => isIssuedBy(certificate, issuer))) {
      const by = next === undefined ? "a trusted root" : "the next one";
      throw bad(`certificate ${index} is not signed by ${by}`);
    }
  }
}

/**
 * The certificates of a PEM text, one PEM each.
 *
 * @throws WeftError invalid `agent.bad_certificate` if there is none.
 */
export function splitPem(text: string): readonly string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw bad("no certificate in PEM");
  return found.map((pem) => parse(pem).toString());
}

/** The URIs of a subject alternative name as Node prints it. */
export function urisOf(subjectAltName: string | undefined): readonly string[] {
  const names = subjectAltName?.split(", ") ?? [];
  return names.filter((name) => name.startsWith("URI:")).map((name) => name.slice("URI:".length));
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw bad("the chain holds something that is no certificate", cause);
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isRoot(certificate: X509Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}

function distinct(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  return [...new Map(certificates.map((each) => [each.fingerprint256, each])).values()];
}

function bad(why: string, cause?: unknown): WeftError {
  return new WeftError("invalid", "agent.bad_certificate", `the certificate is refused: ${why}`, {
    cause,
  });
}
