import { createHash } from "node:crypto";
import { WeftError } from "../error.ts";
import { type Clock, systemClock } from "../runtime/index.ts";
import {
  type AppendOptions,
  BLOB_BYTES_MAX,
  type Blobs,
  type CaLog,
  checkCommandId,
  type Entry,
  type Journal,
  type LogReader,
  PAYLOAD_BYTES_MAX,
} from "./journal.ts";

export interface MemoryLogOptions {
  readonly name?: string;
  readonly incarnation?: string;
  readonly clock?: Clock;
  /** What the log holds to begin with, from revision 1 on. */
  readonly payloads?: readonly Uint8Array[];
}

/** A journal that lives as long as the process: for tests, and for plans that nobody keeps. */
export function createMemoryJournal(options: MemoryLogOptions = {}): Journal {
  return createMemoryStream(options).journal("log");
}

/** The CA's two subjects, in memory. */
export function createMemoryCaLog(options: MemoryLogOptions = {}): CaLog {
  const stream = createMemoryStream(options);
  return {
    issued: stream.journal("issued"),
    authority: stream.journal("authority"),
    all: stream.reader(() => true),
  };
}

/** Entries of several subjects in one order. */
function createMemoryStream(options: MemoryLogOptions) {
  const { name = "memory", incarnation = "memory", clock = systemClock } = options;
  const entries: Entry[] = [];
  const revisions = new Map<string, number>();
  const readers = new Set<() => void>();

  function store(payload: Uint8Array, subject: string): number {
    const revision = entries.length + 1;
    entries.push({ revision, subject, payload: payload.slice(), storedAtMs: clock.now() });
    for (const wake of readers) wake();
    return revision;
  }

  function lastOf(wants: (subject: string) => boolean): number {
    return entries.findLast((entry) => wants(entry.subject))?.revision ?? 0;
  }

  function reader(wants: (subject: string) => boolean): LogReader {
    return {
      name,
      incarnation,
      last: async () => lastOf(wants),
      async *tail({ from, signal }) {
        for (let at = Math.max(from, 1); !signal.aborted; ) {
          const entry = entries[at - 1];
          if (entry === undefined) {
            await stirred(signal);
            continue;
          }
          at++;
          if (wants(entry.subject)) yield entry;
        }
      },
    };
  }

  /** Resolves at the next entry or at the abort. */
  function stirred(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        readers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      readers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  function journal(subject: string): Journal {
    const wants = (each: string): boolean => each === subject;
    return {
      ...reader(wants),
      async append(payload: Uint8Array, { commandId, expectedRevision }: AppendOptions) {
        checkCommandId(commandId);
        if (payload.length > PAYLOAD_BYTES_MAX) throw tooLarge("message", payload.length);
        const done = revisions.get(commandId);
        if (done !== undefined) return done;
        const last = lastOf(wants);
        if (expectedRevision !== undefined && expectedRevision !== last) {
          throw new WeftError(
            "conflict",
            "log.conflict",
            `${name} is at revision ${last}, not at ${expectedRevision}`,
          );
        }
        const revision = store(payload, subject);
        revisions.set(commandId, revision);
        return revision;
      },
    };
  }

  for (const payload of options.payloads ?? []) store(payload, "log");
  return { journal, reader };
}

/** Blobs that live as long as the process. */
export function createMemoryBlobs(): Blobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    async put(bytes) {
      if (bytes.length > BLOB_BYTES_MAX) throw tooLarge("blob", bytes.length);
      const digest = createHash("sha256").update(bytes).digest("hex");
      blobs.set(digest, bytes.slice());
      return digest;
    },
    async get(digest) {
      const bytes = blobs.get(digest);
      if (bytes !== undefined) return bytes.slice();
      throw new WeftError("missing", "log.blob_missing", `there is no blob ${digest}`);
    },
  };
}

function tooLarge(what: "message" | "blob", bytes: number): WeftError {
  const max = what === "blob" ? BLOB_BYTES_MAX : PAYLOAD_BYTES_MAX;
  return new WeftError(
    "invalid",
    "log.too_large",
    `a ${what} of ${bytes} bytes is over the limit of ${max}`,
  );
}
