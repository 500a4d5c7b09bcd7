import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { beforeAll, expect, test } from "vitest";
import { checkIdentity, splitPem } from "./certificate.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const NOW_MS = Date.parse("2030-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;
const SHOP = "spiffe://mesh.test/ns/default/sa/shop";

interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

let root: Signer;
let intermediate: Signer;
let stranger: Signer;
let workload: webcrypto.CryptoKeyPair;
let privateKey: KeyObject;

beforeAll(async () => {
  root = await authority("CN=root");
  stranger = await authority("CN=stranger");
  intermediate = await authority("CN=intermediate", root);
  workload = await generateKeys();
  privateKey = KeyObject.from(workload.privateKey);
});

test("a chain of ours becomes an identity: roots are trusted, and not sent along", async () => {
  const certificate = await leaf({});
  const identity = check([certificate, pem(intermediate), pem(root)]);
  expect(identity).toEqual({
    spiffeId: SHOP,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
    chainPem: [certificate, pem(intermediate)].map(normal).join(""),
    rootsPem: [normal(pem(root))],
    serial: "2A",
    notBeforeMs: NOW_MS - HOUR_MS,
    notAfterMs: NOW_MS + HOUR_MS,
  });
});

test("a root that an authenticated answer brings is trusted beside the pinned ones", async () => {
  const certificate = await leaf({ issuer: stranger });
  const { rootsPem } = check([certificate, pem(stranger)]);
  expect(rootsPem).toEqual([pem(root), pem(stranger)].map(normal));
});

test("a chain that is not ours is refused, and it is said why", async () => {
  const good = await leaf({});
  const chains: readonly (readonly [why: string, chain: readonly string[]])[] = [
    ["has no leaf", []],
    ["has no leaf", [pem(root)]],
    ["is no certificate", ["-----BEGIN NOTHING-----"]],
    ["another key", [await leaf({ publicKey: root.keys.publicKey }), pem(intermediate)]],
    ["is for nobody", [await leaf({ uris: [] }), pem(intermediate)]],
    ["not for spiffe", [await leaf({ uris: [`${SHOP}2`] }), pem(intermediate)]],
    ["not for spiffe", [await leaf({ uris: [SHOP, `${SHOP}2`] }), pem(intermediate)]],
    ["not signed by a trusted root", [good]],
    ["not signed by a trusted root", [await leaf({ issuer: stranger })]],
    ["not signed by the next one", [good, pem(intermediate), pem(intermediate)]],
    ["has expired", [await leaf({ untilMs: NOW_MS }), pem(intermediate)]],
    ["is not valid before", [await leaf({ fromMs: NOW_MS + HOUR_MS / 2 }), pem(intermediate)]],
    ["a chain of 11", Array.from({ length: 11 }, () => pem(intermediate))],
  ];
  for (const [why, chain] of chains) {
    expect(() => check(chain), why).toThrow(`agent.bad_certificate: the certificate is refused`);
    expect(() => check(chain), why).toThrow(why);
  }
});

test("a leaf that signs is no authority", async () => {
  const other = await generateKeys();
  const parent = await leaf({ publicKey: other.publicKey });
  const forged = await leaf({
    issuer: { certificate: new x509.X509Certificate(parent), keys: other },
  });
  expect(() => check([forged, parent, pem(intermediate)])).toThrow(
    "0 is not signed by the next one",
  );
});

test("a text of certificates is cut into them", () => {
  const text = `roots of the mesh:\n${pem(root)}\n\n${pem(stranger)}`;
  expect(splitPem(text)).toEqual([pem(root), pem(stranger)].map(normal));
  expect(() => splitPem("")).toThrow("agent.bad_certificate");
});

function check(chain: readonly string[]) {
  const pinnedRoots = [pem(root)];
  return checkIdentity({ spiffeId: SHOP, privateKey, chain, pinnedRoots, nowMs: NOW_MS });
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function authority(name: string, issuer?: Signer): Promise<Signer> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    notBefore: new Date(NOW_MS - HOUR_MS),
    notAfter: new Date(NOW_MS + 10 * HOUR_MS),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return { certificate, keys };
}

interface Leaf {
  readonly issuer?: Signer;
  readonly publicKey?: webcrypto.CryptoKey;
  readonly uris?: readonly string[];
  readonly fromMs?: number;
  readonly untilMs?: number;
}

async function leaf(options: Leaf): Promise<string> {
  const { issuer = intermediate, publicKey = workload.publicKey, uris = [SHOP] } = options;
  const names = uris.map((value) => ({ type: "url", value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "2a",
    subject: "",
    issuer: issuer.certificate.subject,
    notBefore: new Date(options.fromMs ?? NOW_MS - HOUR_MS),
    notAfter: new Date(options.untilMs ?? NOW_MS + HOUR_MS),
    publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names, true)] : []),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  return certificate.toString("pem");
}

function pem({ certificate }: Signer): string {
  return certificate.toString("pem");
}

/** As Node writes a certificate. */
function normal(text: string): string {
  return splitPem(text).join("");
}
