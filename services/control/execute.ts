import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { type ChangeDraft, isError, type Mesh, previewMesh, sealChanges } from "@weft/core/mesh";
import {
  type ChangeSummary,
  ChangeSummary_Operation,
  ChangeSummarySchema,
  type Finding,
  type Mutation,
  MutationSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Control } from "./control.ts";

/** What a command wants to do to a mesh. */
export interface Plan {
  readonly drafts: readonly ChangeDraft[];
  readonly findings?: readonly Finding[];
}

export interface Execution {
  /** SHA-256 of the request: the same command id must mean the same. */
  readonly digest: Uint8Array;
  readonly mutation: Mutation | undefined;
  /** Pure: decides on a mesh, and again on a newer one if another writer came first. */
  readonly plan: (mesh: Mesh) => Plan;
  readonly revertOf?: bigint;
  readonly signal: AbortSignal;
}

export interface Executed {
  readonly revision: bigint;
  readonly changes: ChangeSummary[];
  readonly findings: Finding[];
  readonly dryRun: boolean;
}

/** An idempotency key: a UUID, or whatever else fits into a header of NATS. */
const COMMAND_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** A reason, not an essay: it stands in the log for ever. */
const MESSAGE_LENGTH_MAX = 2_000;

/** SHA-256, as the log hashes specs. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** The digest of a request, whatever its command id. */
export function digestOf<D extends DescMessage>(
  schema: D,
  request: MessageShape<D> & { readonly mutation?: Mutation | undefined },
): Uint8Array {
  const mutation = { ...(request.mutation ?? create(MutationSchema)), commandId: "" };
  return createHash("sha256")
    .update(schema.typeName)
    .update(toBinary(schema, { ...request, mutation }))
    .digest();
}

/**
 * Carries out a command: decides, appends one commit, waits for it. A dry run only decides; a
 * command that changes nothing writes nothing; one that was carried out before answers as then.
 *
 * @throws WeftError conflict `control.stale_base`, invalid `control.refused`, what the plan throws,
 * and what the log refuses with.
 */
export async function execute(control: Control, execution: Execution): Promise<Executed> {
  const { fold, writer, access, chronicle } = control;
  const { digest, plan, revertOf, signal } = execution;
  const mutation = execution.mutation ?? create(MutationSchema);
  const { dryRun } = mutation;
  const commandId = commandIdOf(mutation);
  checkMessage(mutation);
  let last: Plan | undefined;
  const decide = (mesh: Mesh): Plan => {
    checkBase(mutation, mesh);
    last = plan(mesh);
    // It names the module that is still in use; a finding could only call it missing.
    checkPluginsInUse(mesh, last);
    refuseErrors(last.findings ?? []);
    return last;
  };
  if (dryRun) {
    const mesh = fold.state;
    const { drafts, findings = [] } = decide(mesh);
    const revision = BigInt(mesh.revision);
    return { revision, changes: drafts.map(summaryOf), findings: [...findings], dryRun };
  }
  const written = await writer.append({
    commandId,
    digest,
    signal,
    decide(mesh) {
      const { drafts } = decide(mesh);
      const changes = sealChanges(mesh, drafts, sha256);
      if (changes.length === 0) return undefined;
      return {
        actor: access.actorOf(mutation.actor),
        reason: mutation.message,
        source: { kind: mutation.source || "api" },
        ...(revertOf === undefined ? {} : { revertOf }),
        kind: { case: "configCommitted", value: { changes } },
      };
    },
  });
  const unchanged = (last?.drafts ?? []).map(summaryOf).filter(isUnchanged);
  const revision = BigInt(written.revision);
  const findings = [...(last?.findings ?? [])];
  if (!written.changed) return { revision, changes: unchanged, findings, dryRun };
  const view = await chronicle.viewOf(written.revision, signal);
  return { revision, changes: [...view.changes, ...unchanged], findings, dryRun };
}

/** Refuses with all findings if one of them is an error. */
export function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(isError);
  if (errors.length === 0) return;
  const paths = [...new Set(errors.map(({ path }) => path))];
  const where = paths.length === 1 ? paths[0] : `${paths.length} documents`;
  const what = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  throw new WeftError("invalid", "control.refused", `${what} in ${where}; nothing was changed`, {
    findings,
  });
}

function summaryOf({ operation, ref }: ChangeDraft): ChangeSummary {
  return create(ChangeSummarySchema, { operation: OPERATIONS[operation], ref });
}

const OPERATIONS = {
  create: ChangeSummary_Operation.CREATE,
  update: ChangeSummary_Operation.UPDATE,
  delete: ChangeSummary_Operation.DELETE,
  unchanged: ChangeSummary_Operation.UNCHANGED,
} as const satisfies Record<ChangeDraft["operation"], ChangeSummary_Operation>;

function isUnchanged({ operation }: ChangeSummary): boolean {
  return operation === ChangeSummary_Operation.UNCHANGED;
}

/** A caller that names no command id cannot repeat the command; it gets one of its own. */
function commandIdOf({ commandId }: Mutation): string {
  if (commandId === "") return crypto.randomUUID();
  if (COMMAND_ID.test(commandId)) return commandId;
  throw new WeftError(
    "invalid",
    "control.bad_request",
    "a command id is 1 to 128 letters, digits, dots, dashes, colons and underscores",
  );
}

function checkMessage({ message }: Mutation): void {
  if (message.length <= MESSAGE_LENGTH_MAX) return;
  const text = `the message has ${message.length} characters, at most ${MESSAGE_LENGTH_MAX}`;
  throw new WeftError("invalid", "control.bad_request", text);
}

function checkBase({ expectedBase }: Mutation, { revision }: Mesh): void {
  if (expectedBase === undefined || expectedBase === BigInt(revision)) return;
  throw new WeftError(
    "conflict",
    "control.stale_base",
    `the head is r${revision}, not r${expectedBase}`,
  );
}

/** A module that a WasmPlugin names must not go: proxies that restart could not load it. */
function checkPluginsInUse(mesh: Mesh, { drafts }: Plan): void {
  const gone = new Set(
    drafts
      .filter(({ operation, ref }) => operation === "delete" && ref.kind === "Plugin")
      .map(({ ref }) => `weft://${ref.name}`),
  );
  if (gone.size === 0) return;
  const left = previewMesh(mesh, drafts, sha256).resources.WasmPlugin?.values() ?? [];
  for (const { namespace, name, spec } of left) {
    if (!gone.has(spec.url)) continue;
    const message = `WasmPlugin ${namespace}/${name} still names ${spec.url}`;
    throw new WeftError("conflict", "plugin.in_use", message);
  }
}
