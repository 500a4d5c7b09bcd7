import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { WeftError } from "../error.ts";
import type { Clock } from "../runtime/index.ts";
import { COMMIT_SCHEMA, headOf, startOfLog } from "./chain.ts";
import type { Journal } from "./journal.ts";

export interface GenesisOptions {
  readonly mesh: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  /** Makes the UUID of the commit. */
  readonly newId: () => string;
}

/**
 * Writes the first commit of an empty log: which mesh, and which life of it. Does nothing where a
 * log has begun, also where another replica begins it at the same time.
 *
 * @throws WeftError unavailable `log.unavailable`, `log.outcome_unknown`: call it again.
 */
export async function ensureGenesis(journal: Journal, options: GenesisOptions): Promise<void> {
  if ((await journal.last()) > 0) return;
  const { mesh, trustDomain, clock, newId } = options;
  const { incarnation } = journal;
  // The same for all replicas, so that of their tries one is stored and the rest are repetitions.
  const commandId = `genesis-${incarnation}`;
  const digest = createHash("sha256").update([mesh, incarnation, trustDomain].join("\n")).digest();
  const { root } = headOf(startOfLog);
  const commit = create(CommitSchema, {
    id: newId(),
    mesh,
    schema: COMMIT_SCHEMA,
    chain: { revision: 0n, root },
    command: { id: commandId, digest },
    actor: { id: "weft", via: "replica" },
    reason: "the mesh begins",
    source: { kind: "controller", ref: "" },
    correlation: commandId,
    causation: commandId,
    at: timestampFromMs(clock.now()),
    kind: { case: "genesis", value: { incarnation, trustDomain } },
  });
  try {
    await journal.append(toBinary(CommitSchema, commit), { commandId, expectedRevision: 0 });
  } catch (error) {
    if (!(error instanceof WeftError && error.code === "log.conflict")) throw error;
    // Another replica was first, with a genesis of the same life.
  }
}
