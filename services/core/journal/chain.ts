import { fromBinary } from "@bufbuild/protobuf";
import { type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { WeftError } from "../error.ts";
import type { Entry } from "./journal.ts";
import { appendLeaf, emptyTree, equalBytes, hashLeaf, rootOf, type Tree } from "./merkle.ts";

/** The version of commit.proto that this program reads and writes. */
export const COMMIT_SCHEMA = 1;

/** Which log it must be. */
export interface LogIdentity {
  /** Names the log to people: the stream. */
  readonly name: string;
  readonly incarnation: string;
  readonly mesh: string;
}

/** The log up to a revision: what the next commit says it stands on. */
export interface Head {
  /** Revision of the last commit; 0 for an empty log. */
  readonly revision: number;
  /** Root over all commits up to it, 32 bytes. */
  readonly root: Uint8Array;
}

/** The head of a log, kept while commits are added; `headOf` computes its root. */
export interface Position {
  readonly revision: number;
  readonly tree: Tree;
}

export const startOfLog: Position = { revision: 0, tree: emptyTree };

export function headOf({ revision, tree }: Position): Head {
  return { revision, root: rootOf(tree) };
}

/** A commit that is the next one of its log. */
export interface Admitted {
  readonly commit: Commit;
  readonly position: Position;
  /** False where this program does not know the commit and may pass over it. */
  readonly known: boolean;
}

/**
 * Decodes an entry and checks that it is the next commit of this log behind `position`: one revision
 * on, of the mesh, of this life of the log, on the revision before it, and with a schema and kind
 * that are known or may be ignored. `compareRoot` also compares the root that it says it stands on
 * with the one over all commits before it.
 *
 * @throws WeftError unavailable `log.frozen`, which names what does not fit.
 */
export function admitEntry(
  log: LogIdentity,
  position: Position,
  { entry, compareRoot }: { readonly entry: Entry; readonly compareRoot: boolean },
): Admitted {
  const { revision, payload } = entry;
  if (revision !== position.revision + 1) {
    throw frozen(`${log.name} goes from revision ${position.revision} to ${revision}`);
  }
  const commit = readCommit(log, entry);
  const known = isKnown(log, commit, revision);
  checkOrigin(log, commit, revision);
  checkChain(log, commit, position);
  if (compareRoot) checkRoot(log, commit, position);
  const tree = appendLeaf(position.tree, hashLeaf(payload));
  return { commit, known, position: { revision, tree } };
}

function readCommit({ name }: LogIdentity, { revision, payload }: Entry): Commit {
  try {
    return fromBinary(CommitSchema, payload);
  } catch (cause) {
    throw frozen(`revision ${revision} of ${name} is not a commit`, cause);
  }
}

/** A newer schema may mean anything, so it goes before whatever else the commit seems to say. */
function isKnown({ name }: LogIdentity, commit: Commit, revision: number): boolean {
  const { schema, kind, ignorable } = commit;
  if (schema >= 1 && schema <= COMMIT_SCHEMA && kind.case !== undefined) return true;
  if (ignorable) return false;
  throw frozen(
    `revision ${revision} of ${name} has schema ${schema} and kind ${kind.case ?? "unknown"}; ` +
      `this program reads schema ${COMMIT_SCHEMA}`,
  );
}

/** The first commit says which life of the log this is; no later one does. */
function checkOrigin(log: LogIdentity, { mesh, kind }: Commit, revision: number): void {
  if (mesh !== log.mesh) {
    throw frozen(`revision ${revision} of ${log.name} is of mesh ${mesh}, not of ${log.mesh}`);
  }
  if (revision === 1 && kind.case !== "genesis") {
    throw frozen(`${log.name} does not begin with a genesis`);
  }
  if (revision > 1 && kind.case === "genesis") {
    throw frozen(`revision ${revision} of ${log.name} is a second genesis`);
  }
  if (kind.case === "genesis" && kind.value.incarnation !== log.incarnation) {
    throw frozen(
      `${log.name} is incarnation ${log.incarnation}, ` +
        `but its genesis is of ${kind.value.incarnation}`,
    );
  }
}

function checkChain({ name }: LogIdentity, { chain }: Commit, { revision }: Position): void {
  if (chain?.revision === BigInt(revision)) return;
  const claim = chain === undefined ? "nothing" : `revision ${chain.revision}`;
  throw frozen(`revision ${revision + 1} of ${name} stands on ${claim}, not on ${revision}`);
}

function checkRoot({ name }: LogIdentity, { chain }: Commit, position: Position): void {
  const root = rootOf(position.tree);
  const claim = chain?.root ?? new Uint8Array();
  if (equalBytes(claim, root)) return;
  throw frozen(
    `revision ${position.revision + 1} of ${name} stands on root ${hex(claim)}, ` +
      `but the commits before it have root ${hex(root)}`,
  );
}

function frozen(message: string, cause?: unknown): WeftError {
  return new WeftError("unavailable", "log.frozen", message, { cause });
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString("hex") || "(none)";
}
