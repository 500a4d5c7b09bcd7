// What a certificate costs on one thread, in µs: the parts, and the whole from request to PEM.
//
//   node test/bench/ca.ts [rounds]

import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { createMemoryCaLog } from "@weft/core/journal";
import { systemClock } from "@weft/core/runtime";
import { createCertifier } from "../../services/ca/certify.ts";
import { readCsr } from "../../services/ca/csr.ts";
import { TAG, writeBitString, writeDer, writeOid } from "../../services/ca/der.ts";
import {
  checkLeaf,
  issueIntermediate,
  issueLeaf,
  newSerial,
  pemOf,
  selfSign,
} from "../../services/ca/x509.ts";

const rounds = Number(process.argv[2] ?? 3_000);

/** Rounds before the first that counts: the JIT needs some. */
const WARM_UP_ROUNDS = 500;

const DAY_MS = 86_400_000;
const uri = "spiffe://weft.test";
const nowMs = Date.now();
const validity = { notBeforeMs: nowMs - 60_000, notAfterMs: nowMs + DAY_MS };

function newKey() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** PKCS#10 in PEM for a new P-256 key. */
function makeCsr(): string {
  const key = newKey();
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const version = writeDer(TAG.integer, Buffer.of(0));
  const info = writeDer(TAG.sequence, version, writeDer(TAG.sequence), spki, writeDer(0xa0));
  const algorithm = writeDer(TAG.sequence, writeOid("1.2.840.10045.4.3.2"));
  const signature = writeBitString(sign("sha256", info, key));
  return pemOf(writeDer(TAG.sequence, info, algorithm, signature)).replaceAll(
    "CERTIFICATE",
    "CERTIFICATE REQUEST",
  );
}

const root = selfSign({ key: newKey(), uri, label: "Weft root", ...validity });
const issuer = issueIntermediate(root, { key: newKey(), uri, label: "Weft CA", ...validity });
const requests = Array.from({ length: 256 }, makeCsr);
const parsed = requests.map(readCsr);
const workload = { trustDomain: "weft.test", namespace: "default", serviceAccount: "reviews" };
const grant = { uri: `${uri}/ns/default/sa/reviews`, ...validity, notAfterMs: nowMs + DAY_MS / 2 };
const leaf = issueLeaf(issuer, { ...grant, ...at(parsed, 0), serial: newSerial() });
const seconds = Math.floor(grant.notAfterMs / 1_000) * 1_000;
const certify = createCertifier({
  mesh: "bench",
  replica: "bench",
  policy: { trustDomain: "weft.test", ttlDefaultSeconds: 3_600, ttlMaxSeconds: 3_600 },
  issued: createMemoryCaLog().issued,
  issuer: () => issuer,
  rootPem: pemOf(root.certificateDer),
  clock: systemClock,
});

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

async function measure(name: string, step: (round: number) => unknown): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await step(round);
  const timesUs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    await step(round);
    timesUs.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  timesUs.sort((a, b) => a - b);
  const quantile = (share: number): string =>
    (timesUs[Math.floor(rounds * share)] ?? 0).toFixed(0).padStart(6);
  console.log(
    `${name.padEnd(46)} p5 ${quantile(0.05)}  p50 ${quantile(0.5)}  p99 ${quantile(0.99)}`,
  );
}

await measure("read a request", (round) => readCsr(at(requests, round)));
await measure("prove possession", (round) => at(parsed, round).provePossession());
await measure("encode and sign a leaf", (round) =>
  issueLeaf(issuer, { ...grant, ...at(parsed, round), serial: newSerial() }),
);
await measure("check the leaf with other eyes", () =>
  checkLeaf(leaf, { issuer, grant: { ...grant, notAfterMs: seconds } }),
);
await measure("… of that, OpenSSL's parsing", () => new X509Certificate(leaf));
await measure("request to PEM, the event in memory", async (round) => {
  const csr = readCsr(at(requests, round));
  csr.provePossession();
  return certify({
    caller: { attestor: "x509", workload },
    key: csr,
    ttlSeconds: 0n,
    evidenceSha256: csr.spkiSha256,
  });
});
