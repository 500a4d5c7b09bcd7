import { randomUUID } from "node:crypto";
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { WeftError } from "../error.ts";
import { checkServerVersion } from "./connection.ts";
import { DUPLICATE_WINDOW_MS } from "./journal.ts";
import { asReadError, isStreamMissing } from "./nats-errors.ts";

/** Version of what the stream's messages are; a reader of another version must not touch it. */
const FORMAT = "1";

/** Names of meshes are part of subjects and of stream names. */
const MESH_NAME = /^[A-Za-z0-9_-]{1,63}$/;

/** How long JetStream may take for one answer; an election takes about twice that. */
const API_TIMEOUT_MS = 5_000;

export interface OpenLogOptions {
  /** Copies in the cluster that the stream must have: 1 alone, 3 in production. */
  readonly replicas?: number;
  /** Room of a stream that does not exist yet; full, it refuses more. Unlimited by default. */
  readonly maxBytes?: number;
  /** Makes the incarnation of a stream that does not exist yet. */
  readonly newId?: () => string;
  /** How long a tail may hear nothing before it looks after the stream, at least 500 ms. */
  readonly heartbeatMs?: number;
  /** How long an append waits for its answer. */
  readonly timeoutMs?: number;
}

/** A stream that is there and has the settings of a log. */
export interface OpenedStream {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  readonly name: string;
  readonly subjects: readonly string[];
  readonly incarnation: string;
}

/** @throws WeftError invalid `log.bad_name` for a name that cannot stand in a subject. */
export function checkMeshName(mesh: string): string {
  if (MESH_NAME.test(mesh)) return mesh;
  throw new WeftError(
    "invalid",
    "log.bad_name",
    `the mesh name ${JSON.stringify(mesh)} has other than 1 to 63 letters, digits, - and _`,
  );
}

/**
 * Opens a log's stream, and makes it if it is absent; several replicas may do so at once.
 *
 * @throws WeftError unavailable `log.old_server`, `log.bad_stream` or `log.unavailable`.
 */
export async function openStream(
  nats: NatsConnection,
  { name, subjects }: { readonly name: string; readonly subjects: readonly string[] },
  options: OpenLogOptions,
): Promise<OpenedStream> {
  checkServerVersion(nats.info?.version ?? "unknown");
  try {
    const manager = await jetstreamManager(nats, { timeout: API_TIMEOUT_MS });
    const wanted = logConfig(name, subjects, options);
    const info = (await findStream(manager, name)) ?? (await addStream(manager, wanted));
    const wrong = [...wrongSettings(info.config, subjects)];
    const { num_replicas: copies } = info.config;
    if (copies < (options.replicas ?? 1)) {
      wrong.push(`num_replicas is ${copies} instead of ${options.replicas}`);
    }
    if (wrong.length > 0) {
      const message = `stream ${name} cannot hold a log: ${wrong.join("; ")}`;
      throw new WeftError("unavailable", "log.bad_stream", message);
    }
    const incarnation = info.config.metadata?.["incarnation"] ?? "";
    return { nats, manager, name, subjects, incarnation };
  } catch (cause) {
    throw asReadError(name, cause);
  }
}

async function findStream(
  manager: JetStreamManager,
  name: string,
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (isStreamMissing(error)) return undefined;
    throw error;
  }
}

async function addStream(manager: JetStreamManager, config: StreamToAdd): Promise<StreamInfo> {
  try {
    return await manager.streams.add(config);
  } catch (error) {
    // Another replica may have been first, with an incarnation of its own.
    const found = await findStream(manager, config.name);
    if (found !== undefined) return found;
    throw error;
  }
}

type StreamToAdd = Partial<StreamConfig> & { readonly name: string };

function logConfig(
  name: string,
  subjects: readonly string[],
  { replicas = 1, maxBytes = -1, newId = randomUUID }: OpenLogOptions,
): StreamToAdd {
  return {
    name,
    subjects: [...subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    max_bytes: maxBytes,
    deny_delete: true,
    deny_purge: true,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    metadata: { incarnation: newId(), format: FORMAT },
  };
}

/** What keeps a stream from being a log: each setting with what it is and what it must be. */
export function wrongSettings(
  config: Partial<StreamConfig>,
  subjects: readonly string[],
): readonly string[] {
  const rules: readonly (readonly [setting: string, is: unknown, must: unknown])[] = [
    ["subjects", config.subjects?.toSorted().join(" "), subjects.toSorted().join(" ")],
    ["retention", config.retention, RetentionPolicy.Limits],
    ["storage", config.storage, StorageType.File],
    ["discard", config.discard, DiscardPolicy.New],
    ["deny_delete", config.deny_delete ?? false, true],
    ["deny_purge", config.deny_purge ?? false, true],
    ["max_age", config.max_age ?? 0, 0],
    ["max_msgs", unlimited(config.max_msgs), "unlimited"],
    ["max_msgs_per_subject", unlimited(config.max_msgs_per_subject), "unlimited"],
    ["allow_rollup_hdrs", config.allow_rollup_hdrs ?? false, false],
    ["allow_msg_ttl", config.allow_msg_ttl ?? false, false],
    ["no_ack", config.no_ack ?? false, false],
    ["sealed", config.sealed ?? false, false],
    ["persist_mode", config.persist_mode ?? PersistMode.Default, PersistMode.Default],
    ["subject_transform", config.subject_transform, undefined],
    ["mirror", config.mirror, undefined],
    ["sources", config.sources, undefined],
    ["metadata.format", config.metadata?.["format"], FORMAT],
  ];
  const wrong = rules
    .filter(([, is, must]) => is !== must)
    .map(([name, is, must]) => `${name} is ${show(is)} instead of ${show(must)}`);
  const window = config.duplicate_window ?? 0;
  if (window < nanos(DUPLICATE_WINDOW_MS)) {
    wrong.push(`duplicate_window is ${window} instead of ${nanos(DUPLICATE_WINDOW_MS)} ns`);
  }
  if (!config.metadata?.["incarnation"]) wrong.push("metadata.incarnation is absent");
  return wrong;
}

/** JetStream writes "no limit" as -1, 0 or nothing. */
function unlimited(max: number | undefined): number | "unlimited" {
  return max === undefined || max <= 0 ? "unlimited" : max;
}

function show(setting: unknown): string {
  return setting === undefined ? "absent" : JSON.stringify(setting);
}
