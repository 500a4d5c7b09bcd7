import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Change, Commit, ConfigCommitted } from "@weft/proto/weft/event/v1/commit_pb.ts";
import type { Manifest, ResourceRef } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { WeftError } from "../error.ts";
import { Commands } from "./commands.ts";
import type { Mesh } from "./mesh.ts";
import { isKind, type Kind, type Resource, SPECS, type Spec } from "./resource.ts";

/**
 * The mesh after one more commit, whose stream sequence is `revision`. The mesh handed in stays as
 * it is, and the two share what did not change.
 *
 * @throws WeftError unavailable `log.frozen`: the commit holds what this version cannot read, and
 * may not be passed over.
 */
export function evolve(mesh: Mesh, commit: Commit, revision: number): Mesh {
  const next: Mesh = { ...mesh, revision, commands: remember(mesh, commit, revision) };
  switch (commit.kind.case) {
    case "genesis":
      return {
        ...next,
        incarnation: commit.kind.value.incarnation,
        trustDomain: commit.kind.value.trustDomain || mesh.trustDomain,
      };
    case "configCommitted":
      return { ...next, resources: evolveResources(mesh, commit.kind.value, revision) };
    case undefined:
      if (commit.ignorable) return next;
      throw unreadable(`commit r${revision} is of a kind that this version does not know`);
  }
}

function remember({ commands }: Mesh, commit: Commit, revision: number): Mesh["commands"] {
  if (commit.command === undefined || commit.command.id === "") return commands;
  const { id, digest } = commit.command;
  const atMs = commit.at === undefined ? 0 : timestampMs(commit.at);
  return Commands.of(commands).with(id, { revision, digest: hex(digest), atMs });
}

function evolveResources(
  mesh: Mesh,
  { changes }: ConfigCommitted,
  revision: number,
): Mesh["resources"] {
  // One copy of each kind that changes, however many changes there are.
  const touched = new Map<Kind, Map<string, Resource>>();
  const resourcesOf = (kind: Kind): Map<string, Resource> => {
    const own = touched.get(kind) ?? new Map<string, Resource>(mesh.resources[kind]);
    touched.set(kind, own);
    return own;
  };
  for (const change of changes) {
    switch (change.op.case) {
      case "put": {
        const ref = checkRef(change.op.value.ref, revision);
        const resources = resourcesOf(ref.kind);
        const key = `${ref.namespace}/${ref.name}`;
        const before = resources.get(key);
        const createdAt = before?.createdAt ?? revision;
        const resource = readResource(change.op.value, change, { ref, createdAt, revision });
        resources.set(key, resource);
        break;
      }
      case "delete": {
        const ref = checkRef(change.op.value, revision);
        resourcesOf(ref.kind).delete(`${ref.namespace}/${ref.name}`);
        break;
      }
      case undefined:
        throw unreadable(`commit r${revision} has a change that this version does not know`);
    }
  }
  return { ...mesh.resources, ...Object.fromEntries(touched) };
}

interface Ref {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

function checkRef(ref: ResourceRef | undefined, revision: number): Ref {
  const { kind = "", namespace = "", name = "" } = ref ?? {};
  if (isKind(kind)) return { kind, namespace, name };
  throw unreadable(`commit r${revision} holds kind ${kind}, which this version does not know`);
}

function readResource(
  manifest: Manifest,
  change: Change,
  { ref, createdAt, revision }: { ref: Ref; createdAt: number; revision: number },
): Resource {
  return {
    ...ref,
    labels: manifest.labels,
    annotations: manifest.annotations,
    spec: readSpec(ref, manifest.spec, revision),
    manifest,
    hash: change.afterHash,
    createdAt,
    changedAt: revision,
  };
}

function readSpec({ kind, namespace, name }: Ref, bytes: Uint8Array, revision: number): Spec<Kind> {
  try {
    return fromBinary(SPECS[kind], bytes);
  } catch (cause) {
    const what = `${kind} ${namespace}/${name} of commit r${revision}`;
    throw unreadable(`${what} is no weft.mesh.v1.${kind}`, cause);
  }
}

function unreadable(message: string, cause?: unknown): WeftError {
  return new WeftError("unavailable", "log.frozen", message, { cause });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
