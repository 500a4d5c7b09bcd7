import { jetstream, type MsgRequest, PubHeaders } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { WeftError } from "../error.ts";
import { checkServerVersion, isConnected } from "./connection.ts";
import {
  type AppendOptions,
  type CaLog,
  checkCommandId,
  type Journal,
  type LogReader,
  PAYLOAD_BYTES_MAX,
} from "./journal.ts";
import { asAppendError, asReadError, asUnknownOutcome } from "./nats-errors.ts";
import { checkMeshName, type OpenedStream, type OpenLogOptions, openStream } from "./stream.ts";
import { tailStream } from "./tail.ts";

/** How long an append waits for its answer: longer than any write that is still going well. */
const APPEND_TIMEOUT_MS = 5_000;
/** Room for the headers below, within the server's limit of headers and payload together. */
const HEADER_BYTES_MAX = 1_024;

/**
 * The configuration log of a mesh: stream `WEFT_LOG_<mesh>` with the one subject `weft.<mesh>.log`,
 * which expects the last revision of the stream. Makes the stream if it is absent.
 *
 * @throws WeftError unavailable `log.old_server`, `log.bad_stream` or `log.unavailable`.
 */
export async function openConfigLog(
  nats: NatsConnection,
  mesh: string,
  options: OpenLogOptions = {},
): Promise<Journal> {
  const subject = `weft.${checkMeshName(mesh)}.log`;
  const stream = await openStream(nats, { name: `WEFT_LOG_${mesh}`, subjects: [subject] }, options);
  return createNatsJournal(stream, { ...options, subject, expect: "stream" });
}

/**
 * The CA's log of a mesh: stream `WEFT_CA_<mesh>` with the subjects `weft.<mesh>.ca.issued` and
 * `weft.<mesh>.ca.authority`. Makes the stream if it is absent.
 *
 * @throws WeftError unavailable `log.old_server`, `log.bad_stream` or `log.unavailable`.
 */
export async function openCaLog(
  nats: NatsConnection,
  mesh: string,
  options: OpenLogOptions = {},
): Promise<CaLog> {
  checkMeshName(mesh);
  const [issued, authority] = [`weft.${mesh}.ca.issued`, `weft.${mesh}.ca.authority`];
  const subjects = [issued, authority];
  const stream = await openStream(nats, { name: `WEFT_CA_${mesh}`, subjects }, options);
  return {
    issued: createNatsJournal(stream, { ...options, subject: issued, expect: "subject" }),
    authority: createNatsJournal(stream, { ...options, subject: authority, expect: "subject" }),
    all: createNatsReader(stream, options),
  };
}

export interface NatsJournalOptions extends OpenLogOptions {
  readonly subject: string;
  /** Whether `expectedRevision` is the last one of the stream or of the subject. */
  readonly expect: "stream" | "subject";
}

/** One subject of a stream as a journal. */
export function createNatsJournal(stream: OpenedStream, options: NatsJournalOptions): Journal {
  const { subject, expect } = options;
  const client = jetstream(stream.nats, { timeout: options.timeoutMs ?? APPEND_TIMEOUT_MS });
  return {
    ...createNatsReader(stream, { ...options, ...(expect === "subject" ? { subject } : {}) }),
    async append(payload, append) {
      checkCommandId(append.commandId);
      checkSendable(stream, payload);
      const expected = append.expectedRevision;
      try {
        const { seq } = await client.publish(subject, payload, {
          msgID: append.commandId,
          expect: {
            streamName: stream.name,
            ...(expected === undefined ? {} : { [EXPECTATIONS[expect]]: expected }),
          },
        });
        return seq;
      } catch (cause) {
        const error = asAppendError(stream.name, append.commandId, cause);
        const own =
          error.code === "log.conflict" ? await findOwn(stream, options, append) : undefined;
        if (own === undefined) throw error;
        return own;
      }
    },
  };
}

const EXPECTATIONS = { stream: "lastSequence", subject: "lastSubjectSequence" } as const;

/** All subjects of a stream, or one of them. */
function createNatsReader(
  stream: OpenedStream,
  options: { readonly subject?: string; readonly heartbeatMs?: number },
): LogReader {
  const { manager, name, incarnation } = stream;
  const { subject } = options;
  return {
    name,
    incarnation,
    tail: ({ from, signal }) => tailStream(stream, { ...options, from, signal }),
    async last() {
      checkConnected(stream);
      try {
        if (subject === undefined) return (await manager.streams.info(name)).state.last_seq;
        return (await manager.streams.getMessage(name, { last_by_subj: subject }))?.seq ?? 0;
      } catch (cause) {
        throw asReadError(name, cause);
      }
    },
  };
}

/**
 * A conflict may be with the first try of the very same command: then it stands right behind the
 * revision that it expected. A server alone answers so, a cluster says "duplicate".
 */
async function findOwn(
  { manager, name }: OpenedStream,
  { subject, expect }: NatsJournalOptions,
  { commandId, expectedRevision }: AppendOptions,
): Promise<number | undefined> {
  if (expectedRevision === undefined) return undefined;
  const seq = expectedRevision + 1;
  // The server takes the subject with the sequence; nats.js types that for direct gets only.
  const query = (expect === "stream" ? { seq } : { seq, next_by_subj: subject }) as MsgRequest;
  try {
    const next = await manager.streams.getMessage(name, query);
    return next?.header.get(PubHeaders.MsgIdHdr) === commandId ? next.seq : undefined;
  } catch (cause) {
    throw asUnknownOutcome(name, commandId, cause);
  }
}

/** Refuses what NATS would refuse, and whatever nats.js would keep for later. */
function checkSendable(stream: OpenedStream, payload: Uint8Array): void {
  checkConnected(stream);
  // A reconnect may lead to another server of a mixed cluster.
  checkServerVersion(stream.nats.info?.version ?? "unknown");
  const roomBytes = (stream.nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEADER_BYTES_MAX;
  const max = Math.min(PAYLOAD_BYTES_MAX, roomBytes);
  if (payload.length <= max) return;
  throw new WeftError(
    "invalid",
    "log.too_large",
    `a message of ${payload.length} bytes is over the limit of ${max}`,
  );
}

function checkConnected({ nats, name }: OpenedStream): void {
  if (isConnected(nats)) return;
  throw new WeftError("unavailable", "log.unavailable", `NATS is away, and ${name} with it`);
}
