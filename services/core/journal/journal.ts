/** One message of a log as it is stored. */
export interface Entry {
  /** Stream sequence: the revision. */
  readonly revision: number;
  /** The bytes that the tree covers. */
  readonly payload: Uint8Array;
  /** When the broker stored it, ms since the epoch. */
  readonly storedAtMs: number;
}

export interface AppendOptions {
  /** Idempotency key: a second append of the same id changes nothing. */
  readonly commandId: string;
  /**
   * The last revision the writer knows (of the stream, or of the subject where the journal says so).
   * Undefined: append behind whatever is there.
   */
  readonly expectedRevision?: number;
}

/**
 * A log: messages in one order, appended and never changed. The NATS and the in-memory journal keep
 * the same contract (contract.ts).
 */
export interface Journal {
  /**
   * Stores one message and answers its revision, once it is durable.
   *
   * @throws WeftError conflict `log.conflict`: another message came first; catch up, decide again.
   * @throws WeftError unavailable `log.unavailable`: nothing was stored.
   * @throws WeftError unavailable `log.outcome_unknown`: stored or not; only the log can tell.
   * @throws WeftError unavailable `log.full`, invalid `log.too_large`.
   */
  append(payload: Uint8Array, options: AppendOptions): Promise<number>;
  /**
   * Every entry from `from` on in order, then what comes, until the signal. Ends by an error
   * `log.frozen` if the log was lost, replaced or trimmed under the reader.
   */
  tail(options: { readonly from: number; readonly signal: AbortSignal }): AsyncIterable<Entry>;
  /** Revision of the newest entry; 0 for an empty log. @throws WeftError `log.unavailable` */
  last(): Promise<number>;
}

/** Bytes by their SHA-256: plugins, and whatever is too large for a commit. */
export interface Blobs {
  /** Stores bytes and answers their digest, lower-case hex. Storing twice is storing once. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws WeftError missing `log.blob_missing`; also where the bytes do not match the digest. */
  get(digest: string): Promise<Uint8Array>;
}
