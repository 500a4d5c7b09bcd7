import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import type { Journal } from "@weft/core/journal";
import {
  type Authority,
  authorityChange,
  type CreateToken,
  decideCreateToken,
  emptyAuthority,
  evolveAuthority,
} from "@weft/core/mesh";
import type { Clock, Logger } from "@weft/core/runtime";
import { AuthorityChangeSchema } from "@weft/proto/weft/event/v1/ca_pb.ts";

/** Entropy of a token: as much as of a key. */
const TOKEN_BYTES = 32;

/** Decisions for one token while others write too. */
const TRIES_MAX = 10;

/** What the control plane knows of who is who, and the one thing it adds to it: tokens. */
export interface AuthorityFollower {
  readonly state: Authority;
  /** Why the follower stopped, if it has. */
  readonly failure: WeftError | undefined;
  /** Makes a token; its text is in the answer alone, its SHA-256 in the log. */
  createToken(
    request: Pick<CreateToken, "namespace" | "serviceAccount" | "ttlMs">,
    options: { readonly actor: string; readonly signal: AbortSignal },
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
}

export interface AuthorityFollowerOptions {
  readonly mesh: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Folds the CA's decisions and waits for those that were there when it started. */
export async function followAuthority(
  options: AuthorityFollowerOptions,
): Promise<AuthorityFollower> {
  const { journal, clock, log, mesh, signal } = options;
  let state = emptyAuthority;
  let failure: WeftError | undefined;
  let arrived = Promise.withResolvers<void>();
  const wake = (): void => {
    arrived.resolve();
    arrived = Promise.withResolvers();
  };
  const run = async (): Promise<void> => {
    try {
      for await (const { revision, payload } of journal.tail({ from: 1, signal })) {
        state = evolveAuthority(state, fromBinary(AuthorityChangeSchema, payload), revision);
        wake();
      }
    } catch (cause) {
      log.error({ err: cause, log: journal.name }, "the CA's log cannot be followed");
      const message = `${journal.name} cannot be followed past ${state.revision}`;
      failure =
        cause instanceof WeftError
          ? cause
          : new WeftError("unavailable", "log.frozen", message, { cause });
      wake();
    }
  };

  async function waitFor(revision: number, until: AbortSignal): Promise<void> {
    while (state.revision < revision) {
      if (failure !== undefined) throw failure;
      if (until.aborted) {
        const message = `revision ${revision} of ${journal.name} is not here yet`;
        throw new WeftError("unavailable", "log.unavailable", message);
      }
      await Promise.race([arrived.promise, aborted(until)]);
    }
  }

  const target = await journal.last();
  void run();
  await waitFor(target, signal);
  return {
    get state() {
      return state;
    },
    get failure() {
      return failure;
    },
    async createToken(request, { actor, signal: until }) {
      const token = randomBytes(TOKEN_BYTES).toString("base64url");
      const tokenSha256 = createHash("sha256").update(token).digest();
      // The log knows this command by what it creates: a try that is repeated creates nothing twice.
      const commandId = `token-${tokenSha256.toString("hex")}`;
      for (let tries = 1; ; tries++) {
        if (failure !== undefined) throw failure;
        const nowMs = clock.now();
        const decision = decideCreateToken(state, { ...request, tokenSha256, nowMs });
        const fields = { id: crypto.randomUUID(), mesh, actor, atMs: nowMs };
        const payload = toBinary(AuthorityChangeSchema, authorityChange(decision, fields));
        try {
          const expectedRevision = state.revision;
          await waitFor(await journal.append(payload, { commandId, expectedRevision }), until);
          const made = state.tokens.get(tokenSha256.toString("hex"));
          if (made !== undefined) return { token, expiresAtMs: made.expiresAtMs };
          throw new WeftError("unavailable", "log.outcome_unknown", "the token was not recorded");
        } catch (error) {
          const lost = error instanceof WeftError && error.code === "log.conflict";
          if (!lost || tries === TRIES_MAX) throw error;
          await waitFor(await journal.last(), until);
        }
      }
    },
  };
}

/** The roots that workloads trust, PEM, oldest first. */
export function rootsPem(authority: Authority): string[] {
  return authority.roots.map(({ certificateDer }) =>
    new X509Certificate(certificateDer).toString(),
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
