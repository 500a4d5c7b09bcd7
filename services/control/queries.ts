import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { WeftError } from "@weft/core/error";
import {
  diffMeshes,
  isKind,
  type Mesh,
  type Resource,
  type ResourceChange,
  resourceKey,
  SPECS,
  toManifestJson,
  unknownResource,
} from "@weft/core/mesh";
import {
  ChangeSummary_Operation,
  ChangeSummarySchema,
  type ControlService,
  type ResourceDiff,
  ResourceDiffSchema,
  type ResourceView,
  ResourceViewSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import type { ResourceRef } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { viewCommit } from "./chronicle.ts";
import { checkRevision } from "./commands.ts";
import { type Control, deadline } from "./control.ts";
import { rootsPem } from "./token.ts";

type Queries = Omit<
  ServiceImpl<typeof ControlService>,
  "apply" | "delete" | "rollback" | "pushPlugin" | "createToken"
>;

const COMMITS_DEFAULT = 50;

/** Commits of one answer: whoever wants more asks for what is before the last one. */
const COMMITS_MAX = 1_000;

/** Watches at once: each holds a consumer of the log. */
const WATCHES_MAX = 100;

/** What reads the mesh: none of them changes anything. */
export function createQueries(control: Control): Queries {
  const { fold, history, proxies, authority } = control;
  let watches = 0;
  return {
    async get({ ref, at }, { signal }) {
      const mesh = await meshAt(control, at, deadline(signal));
      const { kind, namespace, name } = checkRef(ref);
      const found = isKind(kind) ? mesh.resources[kind]?.get(`${namespace}/${name}`) : undefined;
      if (found === undefined) throw unknownResource(mesh, { kind, namespace, name });
      return { resource: viewResource(control, found), revision: BigInt(mesh.revision) };
    },
    async list({ kind, namespace, at }, { signal }) {
      checkKind(kind);
      const mesh = await meshAt(control, at, deadline(signal));
      const found = allOf(mesh).filter(
        (each) =>
          (kind === "" || each.kind === kind) && (namespace === "" || each.namespace === namespace),
      );
      const resources = found.map((each) => viewResource(control, each));
      return { resources, revision: BigInt(mesh.revision) };
    },
    async *watch({ fromRevision }, { signal }) {
      if (watches >= WATCHES_MAX) {
        throw new WeftError("unavailable", "control.busy", `${WATCHES_MAX} watch already`);
      }
      watches++;
      try {
        const from = Number(fromRevision) || fold.revision + 1;
        for await (const { revision, payload } of control.journal.tail({ from, signal })) {
          yield { commit: viewCommit(fromBinary(CommitSchema, payload), revision) };
        }
      } finally {
        watches--;
      }
    },
    log: ({ limit, before, ref }, { signal }) =>
      listCommits(control, { limit, before: Number(before), ref, signal: deadline(signal) }),
    async show({ revision: asked }, context) {
      const signal = deadline(context.signal);
      const revision = Number(asked);
      checkRevision(revision, fold.state);
      const commit = await control.chronicle.viewOf(revision, signal);
      const before = await history.at(revision - 1, signal);
      const after = await history.at(revision, signal);
      return { commit, changes: diffMeshes(before, after).map(viewDiff) };
    },
    async diff({ from, to, ref }, context) {
      const signal = deadline(context.signal);
      const before = await history.at(Number(from), signal);
      const after = to === 0n ? fold.state : await history.at(Number(to), signal);
      const changes = diffMeshes(before, after).filter((change) => concerns(ref, change));
      return { changes: changes.map(viewDiff) };
    },
    async listPlugins() {
      const plugins = [...(fold.state.resources.Plugin?.values() ?? [])].sort(byName);
      return {
        plugins: plugins.map(({ name, spec, changedAt }) => ({
          name,
          version: spec.version,
          digest: spec.digest,
          sizeBytes: spec.sizeBytes,
          ...stampFields(control, changedAt),
        })),
      };
    },
    async listProxies() {
      return { proxies: [...proxies.list()], headRevision: BigInt(fold.revision) };
    },
    async getRoots() {
      if (authority.state.roots.length === 0) {
        throw new WeftError("missing", "ca.no_root", "the mesh has no root yet");
      }
      return { roots: rootsPem(authority.state), trustDomain: fold.state.trustDomain };
    },
  };
}

async function meshAt(
  { fold, history }: Control,
  at: bigint | undefined,
  signal: AbortSignal,
): Promise<Mesh> {
  return at === undefined ? fold.state : await history.at(Number(at), signal);
}

async function listCommits(
  { fold, chronicle }: Control,
  options: { limit: number; before: number; ref: ResourceRef | undefined; signal: AbortSignal },
) {
  const { ref, signal } = options;
  const limit = Math.min(options.limit || COMMITS_DEFAULT, COMMITS_MAX);
  const before = Math.min(options.before || Number.POSITIVE_INFINITY, fold.revision + 1);
  const revisions =
    ref === undefined
      ? Array.from({ length: Math.max(Math.min(limit, before - 1), 0) }, (_, i) => before - 1 - i)
      : chronicle.revisionsOf(resourceKey(ref), before).slice(0, limit);
  const commits = [];
  for (const revision of revisions) commits.push(await chronicle.viewOf(revision, signal));
  return { commits };
}

/** A resource as people read it. */
function viewResource(control: Control, resource: Resource): ResourceView {
  const { kind, namespace, name, manifest, changedAt } = resource;
  return create(ResourceViewSchema, {
    ref: { kind, namespace, name },
    manifest: toManifestJson(resource),
    ...(manifest.origin === undefined ? {} : { origin: manifest.origin }),
    ...stampFields(control, changedAt),
  });
}

function stampFields({ chronicle }: Control, revision: number) {
  const stamp = chronicle.stampOf(revision);
  return {
    revision: BigInt(revision),
    ...(stamp === undefined ? {} : { changedAt: timestampFromMs(stamp.atMs) }),
    changedBy: stamp?.by ?? "",
  };
}

function viewDiff({ before, after }: ResourceChange): ResourceDiff {
  const { kind, namespace, name } = before ?? after ?? { kind: "", namespace: "", name: "" };
  const { CREATE, UPDATE, DELETE } = ChangeSummary_Operation;
  const operation = before === undefined ? CREATE : after === undefined ? DELETE : UPDATE;
  return create(ResourceDiffSchema, {
    summary: create(ChangeSummarySchema, { operation, ref: { kind, namespace, name } }),
    ...(before === undefined ? {} : { before: toManifestJson(before) }),
    ...(after === undefined ? {} : { after: toManifestJson(after) }),
  });
}

/** Empty fields of the reference match all. */
function concerns(ref: ResourceRef | undefined, { before, after }: ResourceChange): boolean {
  const one = before ?? after;
  if (ref === undefined || one === undefined) return true;
  return (["kind", "namespace", "name"] as const).every(
    (field) => ref[field] === "" || ref[field] === one[field],
  );
}

/** All resources by kind, namespace and name. */
function allOf(mesh: Mesh): Resource[] {
  const found = Object.values(mesh.resources).flatMap((each): Resource[] => [...each.values()]);
  return found.sort((a, b) => (resourceKey(a) < resourceKey(b) ? -1 : 1));
}

function byName(a: Resource, b: Resource): number {
  return a.name < b.name ? -1 : 1;
}

function checkRef(ref: ResourceRef | undefined): ResourceRef {
  if (ref !== undefined && ref.kind !== "" && ref.name !== "") return ref;
  throw new WeftError("invalid", "control.bad_request", "a reference names a kind and a name");
}

function checkKind(kind: string): void {
  if (kind === "" || isKind(kind)) return;
  const known = Object.keys(SPECS).join(", ");
  throw new WeftError("invalid", "control.bad_request", `there is no kind ${kind}; ${known} exist`);
}
