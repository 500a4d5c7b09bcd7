import "reflect-metadata";
import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { childrenOf, readDer, writeTime } from "./der.ts";
import {
  checkLeaf,
  type Issuer,
  issueIntermediate,
  issueLeaf,
  issuerOf,
  newSerial,
  pemOf,
  selfSign,
  subjectKeyOf,
} from "./x509.ts";

const NOW_MS = Date.UTC(2030, 5, 1);
const DAY_MS = 86_400_000;
const uri = "spiffe://weft.test";
const leafUri = `${uri}/ns/default/sa/reviews`;

function newKey(namedCurve = "P-256") {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

function chainUnder(rootCurve: string): { root: Issuer; intermediate: Issuer; leaf: Buffer } {
  const notBeforeMs = NOW_MS - 60_000;
  const root = selfSign({
    key: newKey(rootCurve),
    uri,
    label: "Weft root",
    notBeforeMs,
    notAfterMs: NOW_MS + 3_650 * DAY_MS,
  });
  const intermediate = issueIntermediate(root, {
    key: newKey(),
    uri,
    label: "Weft CA",
    notBeforeMs,
    notAfterMs: NOW_MS + 7 * DAY_MS,
  });
  const leaf = issueLeaf(intermediate, {
    ...subjectKeyOf(newKey()),
    serial: newSerial(),
    uri: leafUri,
    notBeforeMs,
    notAfterMs: NOW_MS + DAY_MS,
  });
  return { root, intermediate, leaf };
}

const { root, intermediate, leaf } = chainUnder("P-256");

/** What another library reads out of a certificate. */
function profileOf(der: Buffer) {
  const certificate = new x509.X509Certificate(der);
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  const usages = certificate.getExtension(x509.KeyUsagesExtension);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    validity: [certificate.notBefore.getTime(), certificate.notAfter.getTime()],
    constraints: [constraints?.critical, constraints?.ca, constraints?.pathLength],
    usages: [usages?.critical, usages?.usages],
    extendedUsages: certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages,
    names: [names?.critical, names?.names.toJSON()],
    extensions: certificate.extensions.length,
  };
}

test("a leaf is an X.509-SVID to the letter", () => {
  expect(profileOf(leaf)).toEqual({
    subject: "",
    issuer: profileOf(intermediate.certificateDer).subject,
    validity: [NOW_MS - 60_000, NOW_MS + DAY_MS],
    constraints: [true, false, undefined],
    usages: [true, x509.KeyUsageFlags.digitalSignature],
    extendedUsages: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
    names: [true, [{ type: "url", value: leafUri }]],
    extensions: 6,
  });
});

test("an intermediate may sign leaves and nothing that signs", () => {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  expect(profileOf(intermediate.certificateDer)).toEqual({
    subject: `CN=Weft CA ${intermediate.keyIdentifier.toString("hex", 0, 8)}`,
    issuer: `CN=Weft root ${root.keyIdentifier.toString("hex", 0, 8)}`,
    validity: [NOW_MS - 60_000, NOW_MS + 7 * DAY_MS],
    constraints: [true, true, 0],
    usages: [true, keyCertSign | cRLSign],
    extendedUsages: undefined,
    names: [false, [{ type: "url", value: uri }]],
    extensions: 5,
  });
});

describe.each(["P-256", "P-384"])("under a root of %s", (curve) => {
  const chain = chainUnder(curve);
  const certificates = [chain.leaf, chain.intermediate.certificateDer, chain.root.certificateDer];

  test("each certificate is signed by the next, the root by itself", async () => {
    const read = certificates.map((der) => new X509Certificate(der));
    for (const [index, certificate] of read.entries()) {
      const issuer = read[index + 1] ?? certificate;
      expect(certificate.checkIssued(issuer)).toBe(true);
      expect(certificate.verify(issuer.publicKey)).toBe(true);
    }
    const others = certificates.map((der) => new x509.X509Certificate(der));
    for (const [index, certificate] of others.entries()) {
      const publicKey = others[index + 1] ?? certificate;
      expect(await certificate.verify({ publicKey, signatureOnly: true })).toBe(true);
    }
  });

  test("keys are named by the same identifiers below and above", () => {
    const identifiers = certificates.map((der) => {
      const certificate = new x509.X509Certificate(der);
      return [
        certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
        certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId,
      ];
    });
    const [leafIds, intermediateIds, rootIds] = identifiers;
    expect([leafIds?.[0], intermediateIds?.[0], rootIds?.[0]]).toEqual([
      intermediateIds?.[1],
      rootIds?.[1],
      rootIds?.[1],
    ]);
    expect(new Set(identifiers.map(([, own]) => own)).size).toBe(3);
  });
});

test("all we write is strict DER", () => {
  for (const der of [leaf, intermediate.certificateDer, root.certificateDer]) {
    expect(() => readDer(der)).not.toThrow();
  }
});

test("serial numbers are 16 bytes, positive and minimal", () => {
  const serials = Array.from({ length: 2_000 }, newSerial);
  const wrong = serials.filter((serial) => {
    const first = serial[0] ?? 0;
    return serial.length !== 16 || first === 0 || first >= 0x80;
  });
  expect(wrong).toEqual([]);
  expect(new Set(serials.map((serial) => serial.toString("hex"))).size).toBe(serials.length);
});

test("times through 2049 are UTCTime, and GeneralizedTime from 2050 on", () => {
  const text = (atMs: number): string => writeTime(atMs).toString("latin1", 2);
  expect([writeTime(0)[0], text(0)]).toEqual([0x17, "700101000000Z"]);
  const last = Date.UTC(2049, 11, 31, 23, 59, 59);
  expect([writeTime(last)[0], text(last)]).toEqual([0x17, "491231235959Z"]);
  expect([writeTime(last + 1_000)[0], text(last + 1_000)]).toEqual([0x18, "20500101000000Z"]);
  const seconds = fc.integer({ min: Date.UTC(2000) / 1_000, max: Date.UTC(2100) / 1_000 });
  fc.assert(
    fc.property(seconds, (second) => {
      const notAfterMs = second * 1_000;
      const key = root.key;
      const { certificateDer } = selfSign({ key, uri, label: "t", notBeforeMs: 0, notAfterMs });
      expect(new X509Certificate(certificateDer).validToDate.getTime()).toBe(notAfterMs);
    }),
    { numRuns: 50 },
  );
});

test("an issuer that was stored signs as it did before", () => {
  expect(issuerOf(root.key, root.certificateDer)).toEqual(root);
  expect(issuerOf(intermediate.key, intermediate.certificateDer)).toEqual(intermediate);
});

test("PEM is read by others", () => {
  expect(new X509Certificate(pemOf(leaf)).raw).toEqual(leaf);
});

test("what does not say what was granted is found before it gets out", () => {
  const grant = { uri: leafUri, notBeforeMs: NOW_MS - 60_000, notAfterMs: NOW_MS + DAY_MS };
  expect(() => checkLeaf(leaf, { issuer: intermediate, grant })).not.toThrow();
  expect(() => checkLeaf(leaf, { issuer: root, grant })).toThrow("bug");
  const other = { ...grant, uri: `${leafUri}x` };
  expect(() => checkLeaf(leaf, { issuer: intermediate, grant: other })).toThrow("bug");
  const bits = childrenOf(readDer(leaf))[2];
  const broken = Buffer.from(leaf);
  const at = broken.length - (bits?.content.length ?? 0) + 8;
  broken[at] = (broken[at] ?? 0) ^ 1;
  expect(() => checkLeaf(broken, { issuer: intermediate, grant })).toThrow("bug");
});

test("nothing outlives its issuer", () => {
  const fields = { ...subjectKeyOf(newKey()), serial: newSerial(), uri: leafUri, notBeforeMs: 0 };
  const notAfterMs = intermediate.notAfterMs + 1_000;
  expect(() => issueLeaf(intermediate, { ...fields, notAfterMs })).toThrow("bug");
  expect(createPublicKey(intermediate.key).equals(intermediate.publicKey)).toBe(true);
});
