import "reflect-metadata";
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CSR_BYTES_MAX, readCsr } from "./csr.ts";
import { childrenOf, readDer, TAG, writeBitString, writeDer, writeOid } from "./der.ts";

const SHA256_ECDSA = "1.2.840.10045.4.3.2";
const SHA1_ECDSA = "1.2.840.10045.4.1";
const SHA256_RSA = "1.2.840.113549.1.1.11";
const SHA1_RSA = "1.2.840.113549.1.1.5";
const ED25519 = "1.3.101.112";

const NULL = writeDer(TAG.null);
const VERSION = writeDer(TAG.integer, Buffer.of(0));
const NAME = name("someone");
const ATTRIBUTES = writeDer(0xa0);

/** Name with one common name. */
function name(commonName: string): Buffer {
  const value = writeDer(TAG.utf8String, Buffer.from(commonName));
  return writeDer(
    TAG.sequence,
    writeDer(TAG.set, writeDer(TAG.sequence, writeOid("2.5.4.3"), value)),
  );
}

function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

interface Forgery {
  readonly key: KeyObject;
  readonly oid?: string;
  readonly parameters?: Buffer;
  readonly hash?: string | null;
  /** Parts of the CertificationRequestInfo. */
  readonly info?: readonly Buffer[];
}

/** A request made by hand, so that each part can be wrong on its own. */
function forge({ key, oid = SHA256_ECDSA, parameters, hash = "sha256", info }: Forgery): Buffer {
  const parts = info ?? [VERSION, NAME, spkiOf(key), ATTRIBUTES];
  const body = writeDer(TAG.sequence, ...parts);
  const algorithm = [writeOid(oid), ...(parameters === undefined ? [] : [parameters])];
  const signature = writeBitString(sign(hash, body, key));
  return writeDer(TAG.sequence, body, writeDer(TAG.sequence, ...algorithm), signature);
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

function accept(der: Uint8Array): void {
  readCsr(pem(der)).provePossession();
}

/** The code of the refusal; undefined if the request is taken. */
function refusalOf(der: Uint8Array): string | undefined {
  try {
    accept(der);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function ec(namedCurve: string): KeyObject {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

function rsa(modulusLength: number, publicExponent = 0x10001): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength, publicExponent }).privateKey;
}

const p256 = ec("P-256");
const good = forge({ key: p256 });
const rsa2048 = rsa(2048);
const asRsa = { oid: SHA256_RSA, parameters: NULL };

test("what is taken of a request is its key", () => {
  const csr = readCsr(pem(good));
  csr.provePossession();
  const spki = spkiOf(p256);
  expect(csr.spki).toEqual(spki);
  expect(csr.spkiSha256).toEqual(createHash("sha256").update(spki).digest());
  expect(csr.keyBits).toEqual(spki.subarray(-65));
  expect(csr.key.equals(createPublicKey(p256))).toBe(true);
});

test.each([
  ["P-256", forge({ key: p256 })],
  ["P-384 with SHA-384", forge({ key: ec("P-384"), oid: "1.2.840.10045.4.3.3", hash: "sha384" })],
  ["Ed25519", forge({ key: generateKeyPairSync("ed25519").privateKey, oid: ED25519, hash: null })],
  ["RSA of 2048 bits", forge({ key: rsa2048, ...asRsa })],
])("keys of %s are taken", (_, der) => {
  expect(refusalOf(der)).toBeUndefined();
});

test.each([
  ["secp256k1", forge({ key: ec("secp256k1") }), "ca.bad_key"],
  ["P-521", forge({ key: ec("P-521") }), "ca.bad_key"],
  ["RSA of 1024 bits", forge({ key: rsa(1024), ...asRsa }), "ca.bad_key"],
  ["RSA with exponent 3", forge({ key: rsa(2048, 3), ...asRsa }), "ca.bad_key"],
  ["Ed448", forge({ key: generateKeyPairSync("ed448").privateKey, hash: null }), "ca.bad_key"],
])("keys of %s are not taken", (_, der, code) => {
  expect(refusalOf(der)).toBe(code);
});

test.each([
  ["SHA-1 under ECDSA", forge({ key: p256, oid: SHA1_ECDSA, hash: "sha1" })],
  ["SHA-1 under RSA", forge({ key: rsa2048, oid: SHA1_RSA, parameters: NULL, hash: "sha1" })],
  ["an RSA algorithm over an EC key", forge({ key: p256, ...asRsa })],
  ["parameters where there are none", forge({ key: p256, parameters: NULL })],
  ["RSA without its NULL", forge({ key: rsa2048, oid: SHA256_RSA })],
  ["another hash than it says", forge({ key: p256, hash: "sha384" })],
])("a signature with %s is refused", (_, der) => {
  expect(refusalOf(der)).toBe("ca.bad_csr");
});

test("a key that somebody else signed for is refused", () => {
  const info = [VERSION, NAME, spkiOf(ec("P-256")), ATTRIBUTES];
  expect(refusalOf(forge({ key: p256, info }))).toBe("ca.bad_csr");
});

test("a point beside its curve is no key", () => {
  const spki = Buffer.from(spkiOf(p256));
  spki[spki.length - 1] = (spki.at(-1) ?? 0) ^ 1;
  expect(refusalOf(forge({ key: p256, info: [VERSION, NAME, spki, ATTRIBUTES] }))).toBe(
    "ca.bad_key",
  );
});

test("a compressed point, and a curve by its parameters, are no keys we take", () => {
  const [algorithm, bits] = childrenOf(readDer(spkiOf(p256)));
  const compressed = Buffer.concat([Buffer.of(2), (bits?.content ?? NULL).subarray(2, 34)]);
  const spki = writeDer(TAG.sequence, algorithm?.bytes ?? NULL, writeBitString(compressed));
  expect(refusalOf(forge({ key: p256, info: [VERSION, NAME, spki, ATTRIBUTES] }))).toBe(
    "ca.bad_key",
  );
  const explicit = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
  expect(refusalOf(forge({ key: explicit.privateKey }))).toBe("ca.bad_key");
});

test.each([
  ["of another version", [writeDer(TAG.integer, Buffer.of(1)), NAME, spkiOf(p256), ATTRIBUTES]],
  ["without attributes", [VERSION, NAME, spkiOf(p256)]],
  ["with something behind the attributes", [VERSION, NAME, spkiOf(p256), ATTRIBUTES, NULL]],
  ["without a name", [VERSION, spkiOf(p256), ATTRIBUTES]],
  ["with a padded version", [Buffer.of(2, 2, 0, 0), NAME, spkiOf(p256), ATTRIBUTES]],
  ["with a boolean of 1", [VERSION, NAME, spkiOf(p256), writeDer(0xa0, Buffer.of(1, 1, 1))]],
  [
    "with attributes out of order",
    [VERSION, NAME, spkiOf(p256), writeDer(0xa0, Buffer.of(2, 1, 2), Buffer.of(2, 1, 1))],
  ],
  [
    "with a string in pieces",
    [VERSION, writeDer(TAG.sequence, Buffer.of(0x2c, 0)), spkiOf(p256), ATTRIBUTES],
  ],
])("a request %s is refused", (_, info) => {
  expect(refusalOf(forge({ key: p256, info }))).toBe("ca.bad_csr");
});

test("a request in BER is refused, whatever form it takes", () => {
  const body = good.subarray(good[1] === 0x81 ? 3 : 4);
  const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), body, Buffer.of(0, 0)]);
  const longLength = Buffer.concat([Buffer.of(0x30, 0x83, 0, 0, body.length), body]);
  const padded = Buffer.concat([Buffer.of(0x30, 0x82, 0, body.length), body]);
  for (const der of [indefinite, longLength, padded]) expect(refusalOf(der)).toBe("ca.bad_csr");
  expect(refusalOf(Buffer.concat([Buffer.of(0x30, 0x81, body.length), body]))).toBeUndefined();
});

test("a request that is too long, or nests too deep, is refused before its key is looked at", () => {
  const long = [VERSION, name("x".repeat(CSR_BYTES_MAX)), spkiOf(p256), ATTRIBUTES];
  expect(() => accept(forge({ key: p256, info: long }))).toThrow(`longer than ${CSR_BYTES_MAX}`);
  let deep = NULL;
  for (let level = 0; level < 40; level++) deep = writeDer(TAG.sequence, deep);
  expect(refusalOf(forge({ key: p256, info: [VERSION, deep, spkiOf(p256), ATTRIBUTES] }))).toBe(
    "ca.bad_csr",
  );
});

test.each([
  ["nothing", ""],
  ["two blocks", pem(good) + pem(good)],
  ["words before", `hello\n${pem(good)}`],
  ["another label", pem(good).replaceAll("CERTIFICATE REQUEST", "CERTIFICATE")],
  ["letters that are not base64", pem(good).replace("M", "*")],
  ["a missing end", pem(good).split("-----END")[0] ?? ""],
])("PEM with %s is refused", (_, text) => {
  expect(() => readCsr(text)).toThrow("ca.bad_csr");
});

test("PEM with the line ends of Windows is taken", () => {
  expect(() => readCsr(pem(good).replaceAll("\n", "\r\n"))).not.toThrow();
});

test("a request with any one bit changed is refused", () => {
  for (let bit = 0; bit < good.length * 8; bit++) {
    const changed = Buffer.from(good);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect([bit, refusalOf(changed)]).toEqual([bit, expect.stringMatching(/^ca\.bad_(csr|key)$/)]);
  }
});

test("a request that is cut off, or goes on behind its end, is refused", () => {
  for (let length = 0; length < good.length; length++) {
    expect(refusalOf(good.subarray(0, length))).toBe("ca.bad_csr");
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (more) => {
      expect(refusalOf(Buffer.concat([good, more]))).toBe("ca.bad_csr");
    }),
  );
});

test("no bytes at all make the reader fail in another way than by refusing", () => {
  const splices = fc.array(
    fc.record({
      at: fc.nat(good.length),
      drop: fc.nat(8),
      put: fc.uint8Array({ maxLength: 8 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(splices, (edits) => {
      let der: Buffer = good;
      for (const { at, drop, put } of edits) {
        der = Buffer.concat([der.subarray(0, at), put, der.subarray(at + drop)]);
      }
      if (der.equals(good)) return;
      expect(refusalOf(der)).toMatch(/^ca\.bad_(csr|key)$/);
    }),
    { numRuns: 500 },
  );
});

test("another library's request is taken, and ours by it", async () => {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const theirs = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=someone, O=somewhere",
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "a.test" }])],
  });
  expect(refusalOf(Buffer.from(theirs.rawData))).toBeUndefined();
  expect(await new x509.Pkcs10CertificateRequest(pem(good)).verify()).toBe(true);
});

interface Vectors {
  readonly testGroups: readonly {
    readonly publicKeyDer: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: "valid" | "invalid" | "acceptable";
    }[];
  }[];
}

const vectorsPath = resolve(
  import.meta.dirname,
  "../../../shared/corpus/wycheproof/ecdsa_secp256r1_sha256_test.json",
);

describe("the vectors of Wycheproof", () => {
  test("signatures are judged as the vectors say, DER forms included", (context) => {
    if (!existsSync(vectorsPath)) return context.skip("skipped: corpus not present");
    const { testGroups } = JSON.parse(readFileSync(vectorsPath, "utf8")) as Vectors;
    const wrong = testGroups.flatMap(({ publicKeyDer, tests }) => {
      const spki = Buffer.from(publicKeyDer, "hex");
      const key = createPublicKey({ key: spki, format: "der", type: "spki" });
      return tests.filter(({ msg, sig, result }) => {
        // The call that proves possession: hash, message, key, signature as DER.
        const judged = verify("sha256", Buffer.from(msg, "hex"), key, Buffer.from(sig, "hex"));
        return judged !== (result === "valid");
      });
    });
    expect(wrong).toEqual([]);
    expect(testGroups.flatMap(({ tests }) => tests).length).toBeGreaterThan(400);
  });
});
