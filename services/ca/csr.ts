import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { WeftError } from "@weft/core/error";
import { checkSorted, childrenOf, type Element, readDer, TAG, writeDer, writeOid } from "./der.ts";

/** The longest request, in DER: an RSA-8192 key takes 2 KiB, and we read no names. */
export const CSR_BYTES_MAX = 8 << 10;

/** The same in PEM: base64 and line ends, with room for an agent's habits. */
const CSR_PEM_CHARS_MAX = 12 << 10;

/** Shorter keys can be factored; longer ones only cost us time to verify. */
const RSA_BITS_MIN = 2_048;
const RSA_BITS_MAX = 8_192;

/** The exponent that everybody uses; small ones invite forgeries, long ones cost us time. */
const RSA_EXPONENT = 65_537n;

const PEM =
  /^\s*-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;

/** The attributes, tagged [0]. */
const ATTRIBUTES_TAG = 0xa0;

/** An uncompressed point on a curve begins with it (SEC 1, 2.3.3). */
const UNCOMPRESSED_POINT = 4;

/**
 * What we take from a certificate signing request (PKCS#10, RFC 2986): its key. The names in it are
 * ignored, because the certificate names the caller that was attested.
 */
export interface Csr {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Of `spki`, 32 bytes. */
  readonly spkiSha256: Uint8Array;
  /** The key bits within, as the subject key identifier hashes them. */
  readonly keyBits: Uint8Array;
  readonly key: KeyObject;
  /**
   * Checks that whoever wrote the request holds its private key.
   *
   * @throws WeftError invalid `ca.bad_csr`
   */
  provePossession(): void;
}

/** How a request may be signed: hash, and the key types that may sign so. */
interface SignatureAlgorithm {
  /** AlgorithmIdentifier, DER, parameters included: there is one encoding of each. */
  readonly der: Buffer;
  readonly hash: "sha256" | "sha384" | "sha512" | null;
  readonly keyType: KeyType;
}

type KeyType = "ec" | "ed25519" | "rsa";

const NULL = writeDer(TAG.null);
const RSA_ENCRYPTION = algorithm("1.2.840.113549.1.1.1", NULL);
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const ED25519 = algorithm("1.3.101.112");

const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = [
  { der: algorithm("1.2.840.10045.4.3.2"), hash: "sha256", keyType: "ec" },
  { der: algorithm("1.2.840.10045.4.3.3"), hash: "sha384", keyType: "ec" },
  { der: algorithm("1.2.840.10045.4.3.4"), hash: "sha512", keyType: "ec" },
  { der: ED25519, hash: null, keyType: "ed25519" },
  { der: algorithm("1.2.840.113549.1.1.11", NULL), hash: "sha256", keyType: "rsa" },
  { der: algorithm("1.2.840.113549.1.1.12", NULL), hash: "sha384", keyType: "rsa" },
  { der: algorithm("1.2.840.113549.1.1.13", NULL), hash: "sha512", keyType: "rsa" },
];

/** Key algorithms and what their bits must look like. */
const KEY_ALGORITHMS: readonly {
  readonly der: Buffer;
  readonly keyType: KeyType;
  readonly isKey: (bits: Uint8Array) => boolean;
}[] = [
  {
    der: algorithm(EC_PUBLIC_KEY, writeOid("1.2.840.10045.3.1.7")),
    keyType: "ec",
    isKey: isPointOf(32),
  },
  { der: algorithm(EC_PUBLIC_KEY, writeOid("1.3.132.0.34")), keyType: "ec", isKey: isPointOf(48) },
  { der: ED25519, keyType: "ed25519", isKey: (bits) => bits.length === 32 },
  { der: RSA_ENCRYPTION, keyType: "rsa", isKey: isRsaKey },
];

/**
 * Reads a request, in PEM, strictly. The key is one that we take; that its owner wrote the request
 * is proved separately, because that is the expensive part.
 *
 * @throws WeftError invalid `ca.bad_csr`, invalid `ca.bad_key`
 */
export function readCsr(pem: string): Csr {
  const request = readDer(decodePem(pem));
  const [info, signatureAlgorithm, signature, more] = sequenceOf(request);
  if (info === undefined || more !== undefined || signature?.tag !== TAG.bitString) {
    throw badCsr("it is not a PKCS#10 request");
  }
  const spki = readInfo(info);
  const { keyType, keyBits } = readSpki(spki);
  const way = SIGNATURE_ALGORITHMS.find((each) => equal(each.der, signatureAlgorithm));
  if (way === undefined) throw badCsr("it is signed in a way that is not taken");
  if (way.keyType !== keyType) throw badCsr("it is signed in a way that does not fit its key");
  const signatureBits = wholeBytes(signature);
  const key = importKey(spki.bytes);
  return {
    spki: spki.bytes,
    spkiSha256: createHash("sha256").update(spki.bytes).digest(),
    keyBits,
    key,
    provePossession() {
      if (verify(way.hash, info.bytes, key, signatureBits)) return;
      throw badCsr("it is not signed by its own key");
    },
  };
}

/** Exactly one request in PEM, and nothing else but white space. */
function decodePem(pem: string): Buffer {
  if (pem.length > CSR_PEM_CHARS_MAX) throw badCsr(`it is longer than ${CSR_BYTES_MAX} bytes`);
  const base64 = PEM.exec(pem)?.[1]?.replace(/[\r\n]/g, "") ?? "";
  const der = Buffer.from(base64, "base64");
  // Buffer passes over what is not base64; encoding it again shows whether it had to.
  if (der.length === 0 || der.toString("base64") !== base64)
    throw badCsr("it is not one PEM block");
  if (der.length > CSR_BYTES_MAX) throw badCsr(`it is longer than ${CSR_BYTES_MAX} bytes`);
  return der;
}

/** The key out of CertificationRequestInfo: version 0, a name, the key, the attributes. */
function readInfo(info: Element): Element {
  const [version, name, spki, attributes, more] = sequenceOf(info);
  const isVersion0 = version?.tag === TAG.integer && equal(Buffer.of(TAG.integer, 1, 0), version);
  if (!isVersion0 || name?.tag !== TAG.sequence || more !== undefined) {
    throw badCsr("it is not a PKCS#10 request of version 1");
  }
  if (attributes?.tag !== ATTRIBUTES_TAG) throw badCsr("it has no attributes, not even none");
  checkSorted(childrenOf(attributes));
  if (spki === undefined) throw badCsr("it has no key");
  return spki;
}

function readSpki(spki: Element): { keyType: KeyType; keyBits: Uint8Array } {
  const [identifier, bits, more] = sequenceOf(spki);
  if (bits?.tag !== TAG.bitString || more !== undefined) throw badCsr("it has no key");
  const keyBits = wholeBytes(bits);
  const found = KEY_ALGORITHMS.find((each) => equal(each.der, identifier));
  if (found === undefined) throw badKey("keys of its kind are not taken");
  if (!found.isKey(keyBits)) throw badKey("the key is not one of its kind, or is too weak");
  return { keyType: found.keyType, keyBits };
}

function isPointOf(coordinateBytes: number): (bits: Uint8Array) => boolean {
  return (bits) => bits[0] === UNCOMPRESSED_POINT && bits.length === 1 + 2 * coordinateBytes;
}

function isRsaKey(bits: Uint8Array): boolean {
  const [modulus, exponent, more] = sequenceOf(readDer(bits));
  if (modulus?.tag !== TAG.integer || exponent?.tag !== TAG.integer || more !== undefined) {
    return false;
  }
  const n = unsigned(modulus.content);
  const length = n.toString(2).length;
  const isOdd = (n & 1n) === 1n;
  return (
    length >= RSA_BITS_MIN &&
    length <= RSA_BITS_MAX &&
    isOdd &&
    unsigned(exponent.content) === RSA_EXPONENT
  );
}

/** 0 for a negative number, which no key has. */
function unsigned(content: Uint8Array): bigint {
  if ((content[0] ?? 0) >= 0x80) return 0n;
  return BigInt(`0x${Buffer.from(content).toString("hex")}`);
}

/** OpenSSL's reading of a key whose form we have checked: it also wants the point on its curve. */
function importKey(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch (cause) {
    throw new WeftError("invalid", "ca.bad_key", "the key is not one of its kind", { cause });
  }
}

/** AlgorithmIdentifier: hoisted, for the tables above are made of it. */
function algorithm(oid: string, ...parameters: readonly Buffer[]): Buffer {
  return writeDer(TAG.sequence, writeOid(oid), ...parameters);
}

function sequenceOf(element: Element): readonly Element[] {
  if (element.tag !== TAG.sequence) throw badCsr("it is not a PKCS#10 request");
  return childrenOf(element);
}

function wholeBytes({ content }: Element): Uint8Array {
  if (content[0] !== 0) throw badCsr("a key or signature ends within a byte");
  return content.subarray(1);
}

function equal(der: Buffer, element: Element | undefined): boolean {
  return element !== undefined && der.equals(element.bytes);
}

function badCsr(why: string): WeftError {
  return new WeftError("invalid", "ca.bad_csr", `the request is refused: ${why}`);
}

function badKey(why: string): WeftError {
  return new WeftError("invalid", "ca.bad_key", `the request is refused: ${why}`);
}
