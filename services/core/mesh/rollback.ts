import type { Commit } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { WeftError } from "../error.ts";
import { type ChangeDraft, draftDelete, draftPut, refOf, saysTheSame } from "./change.ts";
import { diffMeshes } from "./diff.ts";
import { findResource, type Mesh } from "./mesh.ts";
import { isKind, type Resource, resourceKey } from "./resource.ts";

/** A commit and its stream sequence. */
export interface Committed {
  readonly commit: Commit;
  readonly revision: number;
}

/**
 * Decides how to take one commit back: each resource it changed becomes what it was in `before`,
 * the mesh of the revision before it. A resource that is so already is left alone.
 *
 * @throws WeftError conflict `mesh.revert_conflict`: a later commit changed one of them again.
 * @throws WeftError invalid `mesh.nothing_to_revert`: the commit changed no resource.
 */
export function revertCommit(
  mesh: Mesh,
  { commit, revision }: Committed,
  before: Mesh,
): ChangeDraft[] {
  const changes = commit.kind.case === "configCommitted" ? commit.kind.value.changes : [];
  const drafts = new Map<string, ChangeDraft>();
  for (const { op } of changes) {
    const { kind, namespace, name } = op.case === "put" ? refOf(op.value) : (op.value ?? noRef);
    if (!isKind(kind)) continue;
    const now = findResource(mesh, kind, namespace, name);
    const then = findResource(before, kind, namespace, name);
    const ref = { kind, namespace, name };
    if (!isThen(now, then)) checkUntouched(now, { ref, op: op.case, revision });
    const draft = draftReturn(mesh, now, then);
    if (draft !== undefined) drafts.set(resourceKey(ref), draft);
  }
  if (drafts.size > 0) return [...drafts.values()];
  if (changes.length > 0) return [];
  throw new WeftError(
    "invalid",
    "mesh.nothing_to_revert",
    `revision r${revision} changed no resource`,
  );
}

/** Decides how to make the resources of a mesh equal to what they were at an earlier revision. */
export function restoreMesh(mesh: Mesh, then: Mesh): ChangeDraft[] {
  return diffMeshes(mesh, then).flatMap(({ before, after }) => {
    const draft = draftReturn(mesh, before, after);
    return draft === undefined ? [] : [draft];
  });
}

const noRef = { kind: "", namespace: "", name: "" };

/** A resource becomes what it was then; nothing if it was not there then and is not now. */
function draftReturn(
  mesh: Mesh,
  now: Resource | undefined,
  then: Resource | undefined,
): ChangeDraft | undefined {
  if (then !== undefined) return draftPut(mesh, then.manifest, then);
  return now === undefined ? undefined : draftDelete(now);
}

function isThen(now: Resource | undefined, then: Resource | undefined): boolean {
  return now === undefined || then === undefined ? now === then : saysTheSame(now, then);
}

/** The resource must still be as the commit left it. */
function checkUntouched(
  now: Resource | undefined,
  {
    ref,
    op,
    revision,
  }: {
    readonly ref: { kind: string; namespace: string; name: string };
    readonly op: "put" | "delete" | undefined;
    readonly revision: number;
  },
): void {
  const isLeft = op === "delete" ? now === undefined : now?.changedAt === revision;
  if (isLeft) return;
  const what = `${ref.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`;
  const since = now === undefined ? "was deleted later" : `was changed again in r${now.changedAt}`;
  const message = `r${revision} cannot be taken back alone: ${what} ${since}`;
  throw new WeftError("conflict", "mesh.revert_conflict", message);
}
