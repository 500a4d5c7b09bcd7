import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRoot, type RootOptions } from "./root.ts";

const NOW_MS = Date.UTC(2030, 0, 1);
const kek = randomBytes(32).toString("base64");
let folder = "";
let options: RootOptions;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-root-"));
  options = { folder, trustDomain: "weft.test", clock: { now: () => NOW_MS }, create: true };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function keyFile(): string {
  return readFileSync(join(folder, "root/key"), "utf8");
}

test("a root is made once and read from then on", async () => {
  const made = await openRoot(options);
  const read = await openRoot({ ...options, create: false });
  expect(read.pem).toBe(made.pem);
  expect(readdirSync(folder)).toEqual(["root"]);
  expect(keyFile()).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});

test("of many that start at once, all have the same root", async () => {
  const roots = await Promise.all(Array.from({ length: 16 }, () => openRoot(options)));
  expect(new Set(roots.map(({ pem }) => pem)).size).toBe(1);
  expect(readdirSync(folder)).toEqual(["root"]);
});

test("where none may be made, none is", async () => {
  await expect(openRoot({ ...options, create: false })).rejects.toThrow("ca.other_root");
  expect(readdirSync(folder)).toEqual([]);
});

test("under an operator's key the root key is encrypted, and opens with no other", async () => {
  const made = await openRoot({ ...options, kek });
  expect(keyFile()).toMatch(/^{"cipher":"aes-256-gcm"/);
  expect(keyFile()).not.toContain("PRIVATE KEY");
  expect((await openRoot({ ...options, kek })).pem).toBe(made.pem);
  const other = randomBytes(32).toString("base64");
  await expect(openRoot({ ...options, kek: other })).rejects.toThrow("does not open");
  await expect(openRoot(options)).rejects.toThrow("there is no WEFT_CA_KEK");
  for (const bad of [
    "short",
    randomBytes(31).toString("base64"),
    randomBytes(32).toString("hex"),
  ]) {
    await expect(openRoot({ ...options, kek: bad })).rejects.toThrow("32 bytes in base64");
  }
});

test("a plain key is encrypted as soon as there is an operator's key", async () => {
  const made = await openRoot(options);
  expect((await openRoot({ ...options, kek })).pem).toBe(made.pem);
  expect(keyFile()).toMatch(/^{"cipher"/);
  expect(readdirSync(join(folder, "root")).sort()).toEqual(["certificate.pem", "key"]);
});

test("an encrypted key that was changed, or that is of another root, does not open", async () => {
  await openRoot({ ...options, kek });
  const path = join(folder, "root/key");
  const file = JSON.parse(keyFile()) as Record<string, string>;
  for (const part of ["nonce", "sealed", "tag"]) {
    const bytes = Buffer.from(file[part] ?? "", "base64");
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(path, JSON.stringify({ ...file, [part]: bytes.toString("base64") }));
    await expect(openRoot({ ...options, kek })).rejects.toThrow("does not open");
  }
  const truncated = Buffer.from(file["tag"] ?? "", "base64")
    .subarray(0, 4)
    .toString("base64");
  writeFileSync(path, JSON.stringify({ ...file, tag: truncated }));
  await expect(openRoot({ ...options, kek })).rejects.toThrow("does not open");
  const elsewhere = mkdtempSync(join(tmpdir(), "weft-root-"));
  await openRoot({ ...options, folder: elsewhere, kek });
  copyFileSync(join(elsewhere, "root/key"), path);
  rmSync(elsewhere, { recursive: true });
  await expect(openRoot({ ...options, kek })).rejects.toThrow("does not open");
});

test("a key that others may read is refused", async () => {
  await openRoot(options);
  chmodSync(join(folder, "root/key"), 0o640);
  await expect(openRoot(options)).rejects.toThrow("others than its owner may read");
});

test("a key that is not the root's is refused", async () => {
  await openRoot(options);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(
    join(folder, "root/key"),
    privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  );
  await expect(openRoot(options)).rejects.toThrow("not that of its certificate");
  writeFileSync(join(folder, "root/key"), "nothing");
  await expect(openRoot(options)).rejects.toThrow("not a private key");
  rmSync(join(folder, "root/key"));
  await expect(openRoot(options)).rejects.toThrow("its key cannot be read");
});

test("a root of another mesh, of another time, or that is none, is refused", async () => {
  const { pem } = await openRoot(options);
  await expect(openRoot({ ...options, trustDomain: "other.test" })).rejects.toThrow("ca.bad_root");
  const later = { now: () => NOW_MS + 11 * 365 * 86_400_000 };
  await expect(openRoot({ ...options, clock: later })).rejects.toThrow("it has expired");
  writeFileSync(join(folder, "root/certificate.pem"), pem.slice(0, 100));
  await expect(openRoot(options)).rejects.toThrow("its certificate cannot be read");
});

test("no refusal quotes a key", async () => {
  await openRoot(options);
  const key = keyFile();
  const broken = key.replace("-----END PRIVATE KEY-----", "");
  writeFileSync(join(folder, "root/key"), broken);
  const error: Error = await openRoot(options).then(
    () => new Error("opened"),
    (refusal: Error) => refusal,
  );
  expect(JSON.stringify([error.message, String(error.cause), error.stack])).not.toContain(
    key.split("\n")[1],
  );
});
