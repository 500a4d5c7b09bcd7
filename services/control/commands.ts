import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { WeftError } from "@weft/core/error";
import {
  applyManifests,
  type ChangeDraft,
  checkBreakage,
  checkMesh,
  deleteResources,
  draftPut,
  findResource,
  type Mesh,
  previewMesh,
  type ReadResult,
  readManifests,
  restoreMesh,
  revertCommit,
  untranslated,
} from "@weft/core/mesh";
import type { ControlService } from "@weft/proto/weft/control/v1/control_pb.ts";
import {
  type ApplyRequest,
  ApplyRequestSchema,
  ChangeSummary_Operation,
  type CreateTokenRequest,
  type DeleteRequest,
  DeleteRequestSchema,
  type Document,
  type PushPluginRequest,
  PushPluginRequestSchema,
  type RollbackRequest,
  RollbackRequestSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { ManifestSchema } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { PluginSchema } from "@weft/proto/weft/mesh/v1/plugin_pb.ts";
import { readCommits } from "./chronicle.ts";
import { type Control, deadline } from "./control.ts";
import { digestOf, execute, type Plan, refuseErrors, sha256 } from "./execute.ts";
import { gateModule } from "./gate.ts";
import { makeToken } from "./token.ts";

type Commands = Pick<
  ServiceImpl<typeof ControlService>,
  "apply" | "delete" | "rollback" | "pushPlugin" | "createToken"
>;

/** Documents of one request: one for each file of a folder. */
const DOCUMENTS_MAX = 1_000;

/** What a namespace is if nobody says: Kubernetes' and Istio's default. */
const NAMESPACE = "default";

const PLUGIN_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const VERSION_LENGTH_MAX = 64;

const OPERATION_UNCHANGED = ChangeSummary_Operation.UNCHANGED;

/** What changes the mesh: each is one commit, or nothing. */
export function createCommands(control: Control): Commands {
  return {
    apply: (request, { signal }) => apply(control, request, deadline(signal)),
    delete: (request, { signal }) => remove(control, request, deadline(signal)),
    rollback: (request, { signal }) => rollback(control, request, deadline(signal)),
    pushPlugin: (request, { signal }) => pushPlugin(control, request, deadline(signal)),
    createToken: (request) => createToken(control, request),
  };
}

function apply(control: Control, request: ApplyRequest, signal: AbortSignal) {
  const { manifests, findings } = read(request.documents, request.namespace);
  if (manifests.length === 0) {
    throw new WeftError("invalid", "control.bad_request", "the documents hold no resource");
  }
  const unheeded = manifests.flatMap(untranslated);
  return execute(control, {
    digest: digestOf(ApplyRequestSchema, request),
    mutation: request.mutation,
    signal,
    plan(mesh) {
      const drafts = applyManifests(mesh, manifests);
      const then = previewMesh(mesh, drafts, sha256);
      return { drafts, findings: [...findings, ...checkMesh(then, manifests), ...unheeded] };
    },
  });
}

function remove(control: Control, request: DeleteRequest, signal: AbortSignal) {
  const { manifests } = read(request.documents, request.namespace);
  const refs = [...request.refs, ...manifests];
  if (refs.length === 0) {
    throw new WeftError("invalid", "control.bad_request", "no resource is named");
  }
  return execute(control, {
    digest: digestOf(DeleteRequestSchema, request),
    mutation: request.mutation,
    signal,
    plan: (mesh) => withBreakage(mesh, deleteResources(mesh, refs)),
  });
}

async function rollback(control: Control, request: RollbackRequest, signal: AbortSignal) {
  const revision = Number(request.revision);
  const { history, journal, fold } = control;
  checkRevision(revision, fold.state);
  const digest = digestOf(RollbackRequestSchema, request);
  const { mutation } = request;
  const revertOf = request.revision;
  if (request.restore) {
    const then = await history.at(revision, signal);
    const plan = (mesh: Mesh) => withBreakage(mesh, restoreMesh(mesh, then));
    return execute(control, { digest, mutation, signal, plan });
  }
  const before = await history.at(revision - 1, signal);
  for await (const committed of readCommits(journal, { from: revision, to: revision, signal })) {
    const plan = (mesh: Mesh) => withBreakage(mesh, revertCommit(mesh, committed, before));
    return execute(control, { digest, mutation, signal, revertOf, plan });
  }
  throw new WeftError("unavailable", "log.unavailable", `r${revision} was not read`);
}

/** What is decided, and the references that it would leave without what they name. */
function withBreakage(mesh: Mesh, drafts: readonly ChangeDraft[]): Plan {
  return { drafts, findings: checkBreakage(mesh, previewMesh(mesh, drafts, sha256)) };
}

/** A revision that a commit has. @throws WeftError missing `mesh.unknown_revision` */
export function checkRevision(revision: number, { revision: head }: Mesh): void {
  if (Number.isSafeInteger(revision) && revision >= 1 && revision <= head) return;
  const message = `there is no revision r${revision}; the head is r${head}`;
  throw new WeftError("missing", "mesh.unknown_revision", message);
}

async function pushPlugin(control: Control, request: PushPluginRequest, signal: AbortSignal) {
  const { name, version, module } = request;
  if (!PLUGIN_NAME.test(name)) {
    const message = `${JSON.stringify(name.slice(0, 64))} is no name for a plugin`;
    throw new WeftError("invalid", "plugin.bad_name", message);
  }
  if (version.length > VERSION_LENGTH_MAX) {
    const message = `the version has more than ${VERSION_LENGTH_MAX} characters`;
    throw new WeftError("invalid", "control.bad_request", message);
  }
  const facts = gateModule(module);
  // The bytes go first: what the log names must be there for whoever reads it.
  const digest = request.mutation?.dryRun
    ? Buffer.from(sha256(module)).toString("hex")
    : await control.blobs.put(module);
  const imports = facts.imports.map((each) => each.name).sort();
  const abi = facts.abiVersions[0] ?? "";
  const sizeBytes = BigInt(facts.sizeBytes);
  const plan = (mesh: Mesh) => {
    const known = findResource(mesh, "Plugin", "", name)?.spec.version ?? "";
    const spec = create(PluginSchema, {
      digest,
      sizeBytes,
      // The same bytes under no version are what they were.
      version: version || (knownDigest(mesh, name) === digest ? known : ""),
      abi,
      imports,
    });
    const ref = { kind: "Plugin", namespace: "", name };
    const manifest = create(ManifestSchema, { ref, spec: toBinary(PluginSchema, spec) });
    const written = { kind: "Plugin", spec, labels: {}, annotations: {} } as const;
    return { drafts: [draftPut(mesh, manifest, written)] };
  };
  const { revision, changes } = await execute(control, {
    digest: digestOf(PushPluginRequestSchema, request),
    mutation: request.mutation,
    signal,
    plan,
  });
  const unchanged = changes.every(({ operation }) => operation === OPERATION_UNCHANGED);
  return { revision, digest, unchanged };
}

function knownDigest(mesh: Mesh, name: string): string | undefined {
  return findResource(mesh, "Plugin", "", name)?.spec.digest;
}

async function createToken(control: Control, request: CreateTokenRequest) {
  const { namespace, serviceAccount, ttlSeconds, mutation } = request;
  if (mutation?.dryRun) {
    throw new WeftError("invalid", "control.bad_request", "a token cannot be made for a try");
  }
  const workload = {
    namespace: namespace || NAMESPACE,
    serviceAccount: serviceAccount || NAMESPACE,
    ttlMs: Number(ttlSeconds) * 1000,
  };
  const { id: actor } = control.access.actorOf(mutation?.actor ?? "");
  const { clock, authority } = control;
  const { token, expiresAtMs } = await makeToken(authority, workload, { actor, clock });
  return { token, expiresAt: timestampFromMs(expiresAtMs) };
}

/** Reads documents, or refuses with everything that is wrong in them. */
function read(documents: readonly Document[], namespace: string): ReadResult {
  if (documents.length > DOCUMENTS_MAX) {
    const message = `${documents.length} documents, at most ${DOCUMENTS_MAX}`;
    throw new WeftError("invalid", "control.bad_request", message);
  }
  const result = readManifests(documents, { namespace: namespace || NAMESPACE });
  refuseErrors(result.findings);
  return result;
}
