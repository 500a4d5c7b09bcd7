import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { WeftError } from "@weft/core/error";
import type { LogReader } from "@weft/core/journal";
import { resourceKey } from "@weft/core/mesh";
import {
  type ChangeSummary,
  ChangeSummary_Operation,
  ChangeSummarySchema,
  type CommitView,
  CommitViewSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Change, type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";

/** Views of the newest commits, some 1 kB each; older ones are read from the log again. */
const VIEWS_MAX = 10_000;

/** Who wrote a commit, and when. */
export interface Stamp {
  readonly atMs: number;
  readonly by: string;
}

/** What people ask of a log that a mesh does not remember: who, when, and which commits. */
export interface Chronicle {
  /** Takes in the next commit. */
  record(commit: Commit, revision: number): void;
  /** Undefined for a revision that is not there. */
  stampOf(revision: number): Stamp | undefined;
  /** Revisions below `before` that touched a resource, newest first. */
  revisionsOf(key: string, before: number): readonly number[];
  /** A commit of before; @throws WeftError `log.unavailable` where the log does not answer. */
  viewOf(revision: number, signal: AbortSignal): Promise<CommitView>;
}

/** `log` is where views are read from that are no longer held. */
export function createChronicle(log: LogReader): Chronicle {
  const stamps: Stamp[] = [];
  const names = new Map<string, string>();
  const views = new Map<number, CommitView>();
  const touched = new Map<string, number[]>();
  return {
    record(commit, revision) {
      const view = viewCommit(commit, revision);
      const name = view.actor?.id ?? "";
      // One string for each actor, not one for each commit.
      if (!names.has(name)) names.set(name, name);
      stamps[revision] = { atMs: timeOf(commit), by: names.get(name) ?? name };
      views.set(revision, view);
      views.delete(revision - VIEWS_MAX);
      for (const { ref } of view.changes) {
        if (ref === undefined) continue;
        const key = resourceKey(ref);
        const revisions = touched.get(key);
        if (revisions === undefined) touched.set(key, [revision]);
        else revisions.push(revision);
      }
    },
    stampOf: (revision) => stamps[revision],
    revisionsOf: (key, before) =>
      (touched.get(key) ?? []).filter((revision) => revision < before).reverse(),
    async viewOf(revision, signal) {
      const held = views.get(revision);
      if (held !== undefined) return held;
      for await (const { commit } of readCommits(log, { from: revision, to: revision, signal })) {
        return viewCommit(commit, revision);
      }
      throw new WeftError("unavailable", "log.unavailable", `revision ${revision} was not read`);
    },
  };
}

/**
 * The commits of a stretch of the log, both ends included.
 *
 * @throws WeftError unavailable `log.unavailable` if the signal aborts before the last one came.
 */
export async function* readCommits(
  log: LogReader,
  {
    from,
    to,
    signal,
  }: { readonly from: number; readonly to: number; readonly signal: AbortSignal },
): AsyncGenerator<{ readonly commit: Commit; readonly revision: number }> {
  if (from > to) return;
  const stop = new AbortController();
  try {
    const either = AbortSignal.any([signal, stop.signal]);
    for await (const { revision, payload } of log.tail({ from, signal: either })) {
      yield { commit: fromBinary(CommitSchema, payload), revision };
      if (revision >= to) return;
    }
  } finally {
    stop.abort();
  }
  throw new WeftError(
    "unavailable",
    "log.unavailable",
    `${log.name} was read to r${to} too slowly`,
  );
}

/** A commit as people read it: without the manifests. */
export function viewCommit(commit: Commit, revision: number): CommitView {
  const { kind, command, chain, id, reason } = commit;
  const changes = kind.case === "configCommitted" ? kind.value.changes : [];
  return create(CommitViewSchema, {
    revision: BigInt(revision),
    ...(commit.at === undefined ? {} : { at: commit.at }),
    ...(commit.actor === undefined ? {} : { actor: commit.actor }),
    ...(commit.source === undefined ? {} : { source: commit.source }),
    ...(commit.revertOf === undefined ? {} : { revertOf: commit.revertOf }),
    message: reason,
    changes: changes.flatMap(summarize),
    id,
    commandId: command?.id ?? "",
    rootBefore: chain?.root ?? new Uint8Array(),
  });
}

/** What a change did, in a word. */
export function summarize({ op, beforeHash }: Change): ChangeSummary[] {
  const { CREATE, UPDATE, DELETE } = ChangeSummary_Operation;
  switch (op.case) {
    case "put": {
      const operation = beforeHash.length === 0 ? CREATE : UPDATE;
      const { ref } = op.value;
      return [create(ChangeSummarySchema, { operation, ...(ref === undefined ? {} : { ref }) })];
    }
    case "delete":
      return [create(ChangeSummarySchema, { operation: DELETE, ref: op.value })];
    case undefined:
      return []; // a newer writer's; the fold has let it pass
  }
}

function timeOf({ at }: Commit): number {
  return at === undefined ? 0 : timestampMs(at);
}
