import { create, equals } from "@bufbuild/protobuf";
import {
  type Change,
  ChangeSchema,
  CommitSchema,
  ConfigCommittedSchema,
} from "@weft/proto/weft/event/v1/commit_pb.ts";
import {
  type Manifest,
  type ResourceRef,
  ResourceRefSchema,
} from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { evolve } from "./evolve.ts";
import { findResource, type Mesh } from "./mesh.ts";
import { isKind, type Kind, type Resource, SPECS, type Spec } from "./resource.ts";

/** What a command does to one resource: decided, not yet written. */
export type ChangeDraft =
  | { readonly operation: "create" | "update"; readonly ref: ResourceRef; readonly put: Manifest }
  | { readonly operation: "delete" | "unchanged"; readonly ref: ResourceRef };

/** SHA-256 of bytes: handed in, because core/mesh computes on bytes and calls nothing. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

/** What of a resource its author wrote: the rest follows from the log. */
export interface Written<K extends Kind = Kind> {
  readonly kind: K;
  readonly spec: Spec<K>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Whether two resources say the same. Bytes may differ where the meaning does not. */
export function saysTheSame(a: Written, b: Written): boolean {
  if (a.kind !== b.kind || !equals(SPECS[a.kind], a.spec, b.spec)) return false;
  return sameTexts(a.labels, b.labels) && sameTexts(a.annotations, b.annotations);
}

function sameTexts(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}

/** Writes a resource: nothing if the mesh has it just so. */
export function draftPut(mesh: Mesh, manifest: Manifest, written: Written): ChangeDraft {
  const { kind, namespace, name } = refOf(manifest);
  const ref = create(ResourceRefSchema, { kind, namespace, name });
  const before = findResource(mesh, written.kind, namespace, name);
  if (before === undefined) return { operation: "create", ref, put: manifest };
  if (saysTheSame(before, written)) return { operation: "unchanged", ref };
  return { operation: "update", ref, put: manifest };
}

export function draftDelete({ kind, namespace, name }: Resource): ChangeDraft {
  return { operation: "delete", ref: create(ResourceRefSchema, { kind, namespace, name }) };
}

/** The changes of a commit, with the hashes of what they replace and leave. */
export function sealChanges(mesh: Mesh, drafts: readonly ChangeDraft[], hash: Hash): Change[] {
  return drafts.flatMap((draft) => {
    const change = sealChange(mesh, draft, hash);
    return change === undefined ? [] : [change];
  });
}

function sealChange(mesh: Mesh, draft: ChangeDraft, hash: Hash): Change | undefined {
  const { kind, namespace, name } = draft.ref;
  const before = isKind(kind) ? findResource(mesh, kind, namespace, name) : undefined;
  const beforeHash = before?.hash ?? new Uint8Array();
  switch (draft.operation) {
    case "unchanged":
      return undefined;
    case "delete":
      return create(ChangeSchema, { op: { case: "delete", value: draft.ref }, beforeHash });
    case "create":
    case "update": {
      const op = { case: "put", value: draft.put } as const;
      return create(ChangeSchema, { op, beforeHash, afterHash: hash(draft.put.spec) });
    }
  }
}

/** The mesh as it would be one revision later: what checks and plans look at. */
export function previewMesh(mesh: Mesh, drafts: readonly ChangeDraft[], hash: Hash): Mesh {
  const changes = sealChanges(mesh, drafts, hash);
  const value = create(ConfigCommittedSchema, { changes });
  const commit = create(CommitSchema, { kind: { case: "configCommitted", value } });
  return evolve(mesh, commit, mesh.revision + 1);
}

/** The reference of a manifest; a manifest without one is of nothing. */
export function refOf(manifest: Manifest): { kind: string; namespace: string; name: string } {
  return manifest.ref ?? { kind: "", namespace: "", name: "" };
}
