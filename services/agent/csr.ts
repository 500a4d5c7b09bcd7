import { type KeyPairKeyObjectResult, sign } from "node:crypto";

/** Identifier octets of what a request is made of (X.690, 8.1.2). */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  sequence: 0x30,
  set: 0x31,
  /** The attributes of a request, [0]. */
  attributes: 0xa0,
  /** A URI among general names, [6] (RFC 5280, 4.2.1.6). */
  uri: 0x86,
} as const;

const VERSION = der(TAG.integer, Buffer.of(0));
/** A certificate of a workload has no subject: its name is the URI. */
const EMPTY_NAME = der(TAG.sequence);
/** 1.2.840.113549.1.9.14 */
const EXTENSION_REQUEST = Buffer.from("06092a864886f70d01090e", "hex");
/** 2.5.29.17 */
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = der(TAG.sequence, Buffer.from("06082a8648ce3d040302", "hex"));
const TRUE = Buffer.from("0101ff", "hex");

/**
 * A request for a certificate of one URI, signed with a P-256 key: PKCS#10 (RFC 2986) in PEM. The CA
 * names whom it has attested, and the URI says whom we expect that to be.
 */
export function createCsr(keys: KeyPairKeyObjectResult, uri: string): string {
  const names = der(TAG.sequence, der(TAG.uri, Buffer.from(uri, "latin1")));
  const extension = der(TAG.sequence, SUBJECT_ALT_NAME, TRUE, der(TAG.octetString, names));
  const extensions = der(TAG.set, der(TAG.sequence, extension));
  const attributes = der(TAG.attributes, der(TAG.sequence, EXTENSION_REQUEST, extensions));
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  const described = der(TAG.sequence, VERSION, EMPTY_NAME, spki, attributes);
  const signature = sign("sha256", described, keys.privateKey);
  const bits = der(TAG.bitString, Buffer.of(0), signature);
  return pem("CERTIFICATE REQUEST", der(TAG.sequence, described, ECDSA_WITH_SHA256, bits));
}

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...content]);
}

/** A URI has at most 2048 bytes (SPIFFE-ID, 2.3), so two octets hold every length here. */
function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}

function pem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
