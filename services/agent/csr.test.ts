import "reflect-metadata";
import { generateKeyPairSync } from "node:crypto";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCsr } from "./csr.ts";

const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** Lengths on both sides of each form that DER has for them. */
const names = fc
  .oneof(fc.constantFrom(1, 60, 90, 99, 100, 110, 127, 128, 190, 256, 1_900), fc.nat(1_900))
  .map((length) => `spiffe://mesh.test/ns/default/sa/${"a".repeat(length)}`);

test("a request holds the key, one name, and a signature of that key", async () => {
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  await fc.assert(
    fc.asyncProperty(names, async (uri) => {
      const csr = new x509.Pkcs10CertificateRequest(createCsr(keys, uri));
      expect(await csr.verify()).toBe(true);
      expect(Buffer.from(csr.publicKey.rawData)).toEqual(spki);
      expect(csr.subject).toBe("");
      const extension = csr.extensions.find((each) => each.type === "2.5.29.17");
      const { items } = new x509.SubjectAlternativeNameExtension(extension?.rawData ?? "").names;
      expect(items.map(({ type, value }) => [type, value])).toEqual([["url", uri]]);
      expect(extension?.critical).toBe(true);
    }),
    { numRuns: 50 },
  );
});
