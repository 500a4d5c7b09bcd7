import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { assert } from "@weft/core/error";
import type { AuthorityLog } from "@weft/core/journal";
import { type Authority, type CreateToken, decideCreateToken } from "@weft/core/mesh";
import type { Clock } from "@weft/core/runtime";

/** Entropy of a token: as much as of a key. */
const TOKEN_BYTES = 32;

/**
 * Makes a one-time token. Its text is in the answer alone, its SHA-256 in the log.
 *
 * @throws WeftError what `decideCreateToken` and `AuthorityLog.change` throw
 */
export async function makeToken(
  authority: AuthorityLog,
  request: Pick<CreateToken, "namespace" | "serviceAccount" | "ttlMs">,
  { actor, clock }: { readonly actor: string; readonly clock: Clock },
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const tokenSha256 = createHash("sha256").update(token).digest();
  await authority.change(actor, (state) =>
    decideCreateToken(state, { ...request, tokenSha256, nowMs: clock.now() }),
  );
  const made = authority.state.tokens.get(tokenSha256.toString("hex"));
  assert(made !== undefined, "a change that was folded is in the state");
  return { token, expiresAtMs: made.expiresAtMs };
}

/** The roots that workloads trust, PEM, oldest first. */
export function rootsPem(authority: Authority): string[] {
  return authority.roots.map(({ certificateDer }) =>
    new X509Certificate(certificateDer).toString(),
  );
}
