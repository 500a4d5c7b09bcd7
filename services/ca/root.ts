import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { chmod, mkdir, mkdtemp, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import type { Clock } from "@weft/core/runtime";
import { BACKDATE_MS } from "./issue.ts";
import { trustDomainUri } from "./spiffe.ts";
import {
  type Issuer,
  issueIntermediate,
  issuerOf,
  pemOf,
  selfSign,
  type Validity,
} from "./x509.ts";

export interface RootOptions {
  /** The machine's part of the mesh; the root lies in `root/` within. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  /** 32 bytes in base64 that the root key is encrypted under; undefined leaves it plain. */
  readonly kek?: string | undefined;
  /** Whether to make a root where there is none. */
  readonly create: boolean;
}

export interface Root {
  readonly certificateDer: Buffer;
  readonly pem: string;
  readonly notAfterMs: number;
  /**
   * Signs the certificate of a replica's key. The root key is read for it and let go again: it is
   * in memory only as long as that takes.
   *
   * @throws WeftError unavailable `ca.bad_root`
   */
  signIntermediate(key: KeyObject, validity: Validity): Promise<Issuer>;
}

/** Long enough that a mesh outlives it only with a plan; rotation adds the next one before. */
const ROOT_TTL_MS = 10 * 365 * 24 * 3_600_000;

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What others than the owner may do. */
const OTHERS_MODE = 0o077;

const CIPHER = "aes-256-gcm";
const KEK_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The root key as it lies on disk under an operator's key; all in base64. */
interface SealedKey {
  readonly cipher: typeof CIPHER;
  readonly nonce: string;
  readonly sealed: string;
  readonly tag: string;
}

/**
 * The root of a mesh in a folder: `root/certificate.pem`, and its key in `root/key`: PKCS#8 in PEM,
 * or AES-256-GCM over it where there is a key encryption key; a plain key is sealed as soon as there
 * is one. Both files appear together, by renaming their folder, so that of two replicas on one
 * machine one makes the root and the other reads it.
 *
 * @throws WeftError unavailable `ca.bad_root`: it cannot be read, is open to others, or is not one.
 *   Missing `ca.other_root`: there is none, and none may be made.
 */
export async function openRoot(options: RootOptions): Promise<Root> {
  const home = join(options.folder, "root");
  const kek = readKek(options.kek);
  const certificateDer =
    (await readCertificate(home)) ?? (await makeRoot(home, { ...options, kek }));
  const certificate = checkCertificate(certificateDer, options);
  const readKey = async (): Promise<KeyObject> => {
    const key = await readRootKey(join(home, "key"), kek, certificateDer);
    if (!certificate.checkPrivateKey(key)) throw badRoot("its key is not that of its certificate");
    return key;
  };
  await readKey();
  const uri = trustDomainUri(options.trustDomain);
  return {
    certificateDer,
    pem: pemOf(certificateDer),
    notAfterMs: certificate.validToDate.getTime(),
    signIntermediate: async (key, validity) =>
      issueIntermediate(issuerOf(await readKey(), certificateDer), {
        key,
        uri,
        label: "Weft CA",
        ...validity,
      }),
  };
}

async function readCertificate(home: string): Promise<Buffer | undefined> {
  try {
    return new X509Certificate(await readFile(join(home, "certificate.pem"))).raw;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw badRoot("its certificate cannot be read", cause);
  }
}

function checkCertificate(der: Buffer, { trustDomain, clock }: RootOptions): X509Certificate {
  const certificate = new X509Certificate(der);
  const uri = trustDomainUri(trustDomain);
  if (certificate.subjectAltName !== `URI:${uri}`) {
    throw badRoot(`it is for ${certificate.subjectAltName}, not for ${uri}`);
  }
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) {
    throw badRoot("it is no root certificate");
  }
  if (certificate.validToDate.getTime() <= clock.now()) throw badRoot("it has expired");
  return certificate;
}

/** Makes a root, unless another process has made one by the time this one is ready. */
async function makeRoot(
  home: string,
  options: Omit<RootOptions, "kek"> & { readonly kek: Buffer | undefined },
): Promise<Buffer> {
  const { folder, trustDomain, clock, kek } = options;
  if (!options.create) {
    throw new WeftError(
      "missing",
      "ca.other_root",
      `the mesh has a root already, and ${home} does not hold it`,
    );
  }
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const { certificateDer } = selfSign({
    key,
    uri: trustDomainUri(trustDomain),
    label: "Weft root",
    notBeforeMs: clock.now() - BACKDATE_MS,
    notAfterMs: clock.now() + ROOT_TTL_MS,
  });
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const draft = await mkdtemp(join(folder, ".root-"));
  try {
    await chmod(draft, FOLDER_MODE);
    await writeDurably(join(draft, "key"), keyFile(key, kek, certificateDer));
    await writeDurably(join(draft, "certificate.pem"), pemOf(certificateDer));
    await syncFolder(draft);
    await rename(draft, home);
    await syncFolder(folder);
    return certificateDer;
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    const winner = isTaken(cause) ? await readCertificate(home) : undefined;
    if (winner !== undefined) return winner;
    throw badRoot("it cannot be written", cause);
  }
}

async function readRootKey(
  path: string,
  kek: Buffer | undefined,
  certificateDer: Buffer,
): Promise<KeyObject> {
  const { text, mode } = await readSecret(path);
  if ((mode & OTHERS_MODE) !== 0) throw badRoot(`others than its owner may read ${path}`);
  if (text.startsWith("{")) return openKey(text, kek, certificateDer);
  const key = importKey(text);
  if (kek !== undefined) {
    const draft = `${path}.${randomBytes(8).toString("hex")}`;
    await writeDurably(draft, keyFile(key, kek, certificateDer));
    await rename(draft, path);
  }
  return key;
}

async function readSecret(path: string): Promise<{ text: string; mode: number }> {
  try {
    return { text: await readFile(path, "utf8"), mode: (await stat(path)).mode };
  } catch (cause) {
    throw badRoot("its key cannot be read", cause);
  }
}

function keyFile(key: KeyObject, kek: Buffer | undefined, certificateDer: Buffer): string {
  const pem = key.export({ format: "pem", type: "pkcs8" });
  if (kek === undefined) return pem.toString();
  const nonce = randomBytes(NONCE_BYTES);
  // The certificate is authenticated with the key, so that neither can be swapped for another's.
  const cipher = createCipheriv(CIPHER, kek, nonce).setAAD(certificateDer);
  const sealed = Buffer.concat([cipher.update(pem.toString(), "utf8"), cipher.final()]);
  const file: SealedKey = {
    cipher: CIPHER,
    nonce: nonce.toString("base64"),
    sealed: sealed.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
  };
  return `${JSON.stringify(file)}\n`;
}

function openKey(text: string, kek: Buffer | undefined, certificateDer: Buffer): KeyObject {
  if (kek === undefined) throw badRoot("its key is encrypted, and there is no WEFT_CA_KEK");
  try {
    const file = JSON.parse(text) as Partial<SealedKey>;
    const [nonce, sealed, tag] = [file.nonce, file.sealed, file.tag].map((part) =>
      Buffer.from(part ?? "", "base64"),
    ) as [Buffer, Buffer, Buffer];
    const decipher = createDecipheriv(CIPHER, kek, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(certificateDer).setAuthTag(tag);
    return importKey(Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8"));
  } catch {
    // The cause may quote what it could not read.
    throw badRoot("its key does not open with WEFT_CA_KEK");
  }
}

function importKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw badRoot("its key is not a private key in PEM");
  }
}

function readKek(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === "") return undefined;
  const kek = Buffer.from(text, "base64");
  if (kek.length === KEK_BYTES && kek.toString("base64") === text) return kek;
  throw badRoot(`WEFT_CA_KEK is not ${KEK_BYTES} bytes in base64`);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

function isTaken(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    "code" in cause &&
    (cause.code === "ENOTEMPTY" || cause.code === "EEXIST")
  );
}

function badRoot(why: string, cause?: unknown): WeftError {
  return new WeftError("unavailable", "ca.bad_root", `the root is refused: ${why}`, { cause });
}
