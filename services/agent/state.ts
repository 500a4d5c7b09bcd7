import { createPrivateKey } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import { checkIdentity, type Identity, splitPem } from "./certificate.ts";

/** Key and chain lie in one file, so that no crash leaves one without the other. */
const FILE = "identity.pem";

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;

/** Keeps an identity, so that a restart can renew it without a new token. Readable by its owner only. */
export function storeIdentity(folder: string, identity: Identity): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const text = [identity.keyPem, identity.chainPem, ...identity.rootsPem].join("");
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The identity that was kept, if it is still ours and still valid. */
export function loadIdentity(
  folder: string,
  expected: {
    readonly spiffeId: string;
    readonly pinnedRoots: readonly string[];
    readonly nowMs: number;
  },
): Identity | undefined {
  const text = read(join(folder, FILE));
  const key = text === undefined ? undefined : PRIVATE_KEY.exec(text)?.[0];
  if (text === undefined || key === undefined) return undefined;
  try {
    const privateKey = createPrivateKey(key);
    return checkIdentity({ ...expected, privateKey, chain: splitPem(text) });
  } catch (error) {
    // Expired, of another mesh, or cut off: as good as none, since a token can replace it.
    if (error instanceof WeftError) return undefined;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
