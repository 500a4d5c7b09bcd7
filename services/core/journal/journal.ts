import { WeftError } from "../error.ts";

/** One message of a log as it is stored. */
export interface Entry {
  /** Stream sequence: the revision. */
  readonly revision: number;
  /** Tells apart the kinds of entries of a log that has several, such as the CA's. */
  readonly subject: string;
  /** The bytes that the tree covers. */
  readonly payload: Uint8Array;
  /** When the broker stored it, ms since the epoch. */
  readonly storedAtMs: number;
}

export interface AppendOptions {
  /**
   * Idempotency key: a second append of the same id changes nothing, and answers the revision of
   * the first. Remembered for minutes (`DUPLICATE_WINDOW_MS`); with the same expected revision as
   * the first time, for ever.
   */
  readonly commandId: string;
  /**
   * The last revision the writer knows (of the stream, or of the subject where the journal says so).
   * Undefined: append behind whatever is there.
   */
  readonly expectedRevision?: number;
}

/** What a fold needs of a log. */
export interface LogReader {
  /** Names the log to people: the stream. */
  readonly name: string;
  /** Which life of the log this is: made once, when its stream was. */
  readonly incarnation: string;
  /**
   * Every entry from `from` on in order, then what comes, until the signal. Lost connections are
   * waited out. Ends by an error `log.frozen` if the log was lost, replaced or trimmed under the
   * reader, and by `log.unavailable` if the connection was closed for good.
   */
  tail(options: { readonly from: number; readonly signal: AbortSignal }): AsyncIterable<Entry>;
  /** Revision of the newest entry; 0 for an empty log. @throws WeftError `log.unavailable` */
  last(): Promise<number>;
}

/**
 * A log: messages in one order, appended and never changed. The NATS and the in-memory journal keep
 * the same contract (contract.ts).
 */
export interface Journal extends LogReader {
  /**
   * Stores one message and answers its revision, once it is durable.
   *
   * @throws WeftError conflict `log.conflict`: another message came first; catch up, decide again.
   * @throws WeftError unavailable `log.unavailable`: nothing was stored.
   * @throws WeftError unavailable `log.outcome_unknown`: stored or not; only the log can tell.
   * @throws WeftError unavailable `log.full`, invalid `log.too_large` or `log.bad_command_id`.
   */
  append(payload: Uint8Array, options: AppendOptions): Promise<number>;
}

/** The CA's log: two subjects of one stream, so that one tree covers both. */
export interface CaLog {
  /** `CertificateIssued`: appended in parallel, without an expected revision. */
  readonly issued: Journal;
  /** `AuthorityChange`: expects the last revision of its own subject. */
  readonly authority: Journal;
  /** Both, in the order of the stream. */
  readonly all: LogReader;
}

/** Bytes by their SHA-256: plugins, and whatever is too large for a commit. */
export interface Blobs {
  /**
   * Stores bytes and answers their digest, lower-case hex. Storing twice is storing once.
   *
   * @throws WeftError invalid `log.too_large`, unavailable `log.full` or `log.unavailable`.
   */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * @throws WeftError missing `log.blob_missing`; also where the bytes do not match the digest.
   * @throws WeftError unavailable `log.unavailable`.
   */
  get(digest: string): Promise<Uint8Array>;
}

/** Command ids travel in a header, which has limited room and loses spaces at its ends. */
const COMMAND_ID = /^(?! )[\x20-\x7e]{1,256}(?<! )$/;

/** @throws WeftError invalid `log.bad_command_id` unless it is 1 to 256 printable ASCII characters. */
export function checkCommandId(id: string): void {
  if (COMMAND_ID.test(id)) return;
  const shown = JSON.stringify(id.slice(0, 40));
  const message = `command id ${shown} is not 1 to 256 printable ASCII characters`;
  throw new WeftError("invalid", "log.bad_command_id", message);
}

/** How long a command id is remembered by the log itself, whatever revision it is sent with. */
export const DUPLICATE_WINDOW_MS = 10 * 60_000;

/**
 * The largest payload a log takes: NATS takes 1 MiB with headers by default, and what is larger
 * belongs into a blob.
 */
export const PAYLOAD_BYTES_MAX = 1_000_000;

/** The largest blob: well above any Wasm module that the upload gate lets through. */
export const BLOB_BYTES_MAX = 64 * 1024 * 1024;
