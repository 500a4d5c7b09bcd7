import {
  createHash,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { assert } from "@weft/core/error";
import { childrenOf, readDer, TAG, writeBitString, writeDer, writeOid, writeTime } from "./der.ts";

/** Long enough that two replicas never draw the same; RFC 5280 allows 20. */
const SERIAL_BYTES = 16;

/** RFC 7093, section 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
const KEY_IDENTIFIER_BYTES = 20;

/** Bits of KeyUsage as the one byte that holds them, and how many of its low bits are unused. */
const DIGITAL_SIGNATURE = { byte: 0x80, unused: 7 } as const;
const KEY_CERT_SIGN_AND_CRL_SIGN = { byte: 0x06, unused: 1 } as const;

/** GeneralName, uniformResourceIdentifier. */
const URI_TAG = 0x86;
const KEY_IDENTIFIER_TAG = 0x80;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

const SUBJECT_KEY_IDENTIFIER = writeOid("2.5.29.14");
const NOTHING = { tag: TAG.sequence, bytes: Buffer.alloc(0), content: Buffer.alloc(0) };
const TRUE = writeDer(TAG.boolean, Buffer.of(0xff));
const VERSION_3 = writeDer(VERSION_TAG, integer(2));
const NO_NAME = writeDer(TAG.sequence);

const SERVER_AND_CLIENT_AUTH = extension("2.5.29.37", {
  value: writeDer(TAG.sequence, writeOid("1.3.6.1.5.5.7.3.1"), writeOid("1.3.6.1.5.5.7.3.2")),
});
const NOT_A_CA = extension("2.5.29.19", { critical: true, value: writeDer(TAG.sequence) });
const LEAF_KEY_USAGE = keyUsage(DIGITAL_SIGNATURE);
const CA_KEY_USAGE = keyUsage(KEY_CERT_SIGN_AND_CRL_SIGN);

/** ecdsa-with-SHA256 and -SHA384, each with the curve of its strength. */
const SIGNATURES = {
  prime256v1: {
    hash: "sha256",
    identifier: writeDer(TAG.sequence, writeOid("1.2.840.10045.4.3.2")),
  },
  secp384r1: {
    hash: "sha384",
    identifier: writeDer(TAG.sequence, writeOid("1.2.840.10045.4.3.3")),
  },
} as const;

/** A key that signs, and what the certificates it signs say of it. */
export interface Issuer {
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly certificateDer: Buffer;
  /** Name, DER. */
  readonly name: Buffer;
  readonly keyIdentifier: Buffer;
  readonly notAfterMs: number;
}

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A public key: its SubjectPublicKeyInfo and the bits inside, which identifiers hash. */
export interface SubjectKey {
  readonly spki: Uint8Array;
  readonly keyBits: Uint8Array;
}

/** What a leaf says. The URI must have been checked: it is encoded as it is. */
export interface Leaf extends Validity, SubjectKey {
  readonly serial: Buffer;
  readonly uri: string;
}

/** A signing certificate to make: `uri` names the trust domain. */
export interface AuthorityFields extends Validity {
  readonly uri: string;
  readonly key: KeyObject;
  /** What people read: the role of the certificate. */
  readonly label: string;
}

/** A serial number, positive and minimal as it stands. */
export function newSerial(): Buffer {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = (serial[0] ?? 0) & 0x7f || 1;
  return serial;
}

/** Signs a workload's certificate, DER. */
export function issueLeaf(issuer: Issuer, leaf: Leaf): Buffer {
  assert(leaf.notAfterMs <= issuer.notAfterMs, "a leaf does not outlive its issuer");
  const extensions = [
    LEAF_KEY_USAGE,
    SERVER_AND_CLIENT_AUTH,
    NOT_A_CA,
    subjectKeyIdentifier(keyIdentifierOf(leaf.keyBits)),
    authorityKeyIdentifier(issuer.keyIdentifier),
    // Critical, because the subject is empty (RFC 5280, 4.1.2.6).
    uriName(leaf.uri, true),
  ];
  return sealed(issuer, { ...leaf, subject: NO_NAME, extensions });
}

/**
 * Reads a certificate that was just signed with other eyes, OpenSSL's: a fault in memory or in our
 * own encoding must not get out.
 */
export function checkLeaf(
  certificateDer: Buffer,
  { issuer, grant }: { readonly issuer: Issuer; readonly grant: Validity & { uri: string } },
): void {
  const leaf = new X509Certificate(certificateDer);
  assert(leaf.verify(issuer.publicKey), "a leaf verifies with its issuer's key");
  assert(!leaf.ca, "a leaf signs nothing");
  assert(leaf.subject === "" || leaf.subject === undefined, "a leaf has no subject");
  assert(leaf.subjectAltName === `URI:${grant.uri}`, "a leaf has the name that was granted");
  assert(leaf.validToDate.getTime() === grant.notAfterMs, "a leaf ends when it was granted to");
}

/** Signs a replica's certificate: it may sign leaves, and no further authority. */
export function issueIntermediate(issuer: Issuer, authority: AuthorityFields): Issuer {
  assert(authority.notAfterMs <= issuer.notAfterMs, "an intermediate does not outlive its root");
  return certify(authority, issuer, integer(0));
}

/** A root: signed by its own key. */
export function selfSign(authority: AuthorityFields): Issuer {
  return certify(authority, undefined, undefined);
}

/**
 * A signing certificate that was made before, with its key.
 *
 * @throws WeftError if the certificate is not DER, Error if it has no subject key identifier.
 */
export function issuerOf(key: KeyObject, certificateDer: Buffer): Issuer {
  // TBSCertificate: version, serial, signature, issuer, validity, subject, key, extensions.
  const tbs = childrenOf(childrenOf(readDer(certificateDer))[0] ?? NOTHING);
  const list = childrenOf(tbs[7] ?? NOTHING)[0] ?? NOTHING;
  const identifier = childrenOf(list)
    .map(childrenOf)
    .find(([oid]) => oid !== undefined && SUBJECT_KEY_IDENTIFIER.equals(oid.bytes))
    ?.at(-1);
  if (tbs[5] === undefined || identifier === undefined) {
    throw new Error("the certificate has no subject key identifier");
  }
  return {
    key,
    publicKey: createPublicKey(key),
    certificateDer,
    name: Buffer.from(tbs[5].bytes),
    keyIdentifier: Buffer.from(readDer(identifier.content).content),
    notAfterMs: new X509Certificate(certificateDer).validToDate.getTime(),
  };
}

export function pemOf(certificateDer: Uint8Array): string {
  const lines =
    Buffer.from(certificateDer)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function certify(
  { key, uri, label, ...validity }: AuthorityFields,
  issuer: Issuer | undefined,
  pathLength: Buffer | undefined,
): Issuer {
  const subjectKey = subjectKeyOf(key);
  const keyIdentifier = keyIdentifierOf(subjectKey.keyBits);
  // The key in the name: chains are looked up by name, and no two keys may share one.
  const name = nameOf(`${label} ${keyIdentifier.toString("hex", 0, 8)}`);
  const publicKey = createPublicKey(key);
  const self = { key, publicKey, name, keyIdentifier, notAfterMs: validity.notAfterMs };
  const signer = issuer ?? self;
  const extensions = [
    extension("2.5.29.19", {
      critical: true,
      value: writeDer(TAG.sequence, TRUE, pathLength ?? Buffer.alloc(0)),
    }),
    CA_KEY_USAGE,
    subjectKeyIdentifier(keyIdentifier),
    authorityKeyIdentifier(signer.keyIdentifier),
    uriName(uri, false),
  ];
  const fields = { ...validity, serial: newSerial(), subject: name, spki: subjectKey.spki };
  return { ...self, certificateDer: sealed(signer, { ...fields, extensions }) };
}

interface Fields extends Validity {
  readonly serial: Buffer;
  readonly subject: Buffer;
  readonly spki: Uint8Array;
  readonly extensions: readonly Buffer[];
}

/** The one place where the CA signs: TBSCertificate, its algorithm, its signature. */
function sealed(issuer: Pick<Issuer, "key" | "name">, fields: Fields): Buffer {
  const { hash, identifier } = signatureOf(issuer.key);
  const tbs = writeDer(
    TAG.sequence,
    VERSION_3,
    writeDer(TAG.integer, fields.serial),
    identifier,
    issuer.name,
    writeDer(TAG.sequence, writeTime(fields.notBeforeMs), writeTime(fields.notAfterMs)),
    fields.subject,
    fields.spki,
    writeDer(EXTENSIONS_TAG, writeDer(TAG.sequence, ...fields.extensions)),
  );
  return writeDer(TAG.sequence, tbs, identifier, writeBitString(sign(hash, tbs, issuer.key)));
}

function signatureOf(key: KeyObject): (typeof SIGNATURES)[keyof typeof SIGNATURES] {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  assert(curve === "prime256v1" || curve === "secp384r1", "authorities have P-256 or P-384 keys");
  return SIGNATURES[curve];
}

function extension(oid: string, options: { critical?: true; value: Buffer }): Buffer {
  const critical = options.critical === true ? [TRUE] : [];
  const value = writeDer(TAG.octetString, options.value);
  return writeDer(TAG.sequence, writeOid(oid), ...critical, value);
}

function keyUsage({ byte, unused }: { readonly byte: number; readonly unused: number }): Buffer {
  const value = writeBitString(Buffer.of(byte), unused);
  return extension("2.5.29.15", { critical: true, value });
}

function subjectKeyIdentifier(identifier: Buffer): Buffer {
  return extension("2.5.29.14", { value: writeDer(TAG.octetString, identifier) });
}

function authorityKeyIdentifier(identifier: Buffer): Buffer {
  const value = writeDer(TAG.sequence, writeDer(KEY_IDENTIFIER_TAG, identifier));
  return extension("2.5.29.35", { value });
}

function uriName(uri: string, critical: boolean): Buffer {
  const value = writeDer(TAG.sequence, writeDer(URI_TAG, Buffer.from(uri, "latin1")));
  return extension("2.5.29.17", { ...(critical ? { critical } : {}), value });
}

/** Name with one common name, a UTF8String. */
function nameOf(commonName: string): Buffer {
  const value = writeDer(TAG.utf8String, Buffer.from(commonName, "utf8"));
  const attribute = writeDer(TAG.sequence, writeOid("2.5.4.3"), value);
  return writeDer(TAG.sequence, writeDer(TAG.set, attribute));
}

function keyIdentifierOf(keyBits: Uint8Array): Buffer {
  return createHash("sha256").update(keyBits).digest().subarray(0, KEY_IDENTIFIER_BYTES);
}

/** The public half of a key pair. */
export function subjectKeyOf(key: KeyObject): SubjectKey {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const bits = childrenOf(readDer(spki))[1] ?? NOTHING;
  return { spki, keyBits: bits.content.subarray(1) };
}

function integer(value: number): Buffer {
  return writeDer(TAG.integer, Buffer.of(value));
}
