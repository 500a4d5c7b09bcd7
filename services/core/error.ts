import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { CODES, type Code } from "./codes.ts";

export { CODES, type Code } from "./codes.ts";

/** What the caller should do: fix the request, look elsewhere, reload and retry, ask for leave, wait. */
export type ErrorKind = "invalid" | "missing" | "conflict" | "denied" | "unavailable";

export interface WeftErrorOptions {
  readonly cause?: unknown;
  /** The places in the user's files that the error is about. */
  readonly findings?: readonly Finding[];
}

/**
 * A failure that is expected. The message begins with the code, because tools show only messages;
 * `rawMessage` is without it.
 */
export class WeftError extends Error {
  override readonly name = "WeftError";
  readonly kind: ErrorKind;
  /** `noun.reason`, stable. */
  readonly code: Code;
  readonly rawMessage: string;
  readonly findings: readonly Finding[];

  constructor(kind: ErrorKind, code: Code, message: string, options: WeftErrorOptions = {}) {
    super(`${code}: ${message}`, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.rawMessage = message;
    this.findings = options.findings ?? [];
  }

  /** The number shown to people, `WEFTnnnn`. */
  get number(): string {
    return CODES[this.code].number;
  }

  /** How to mend it. */
  get help(): string {
    return CODES[this.code].help;
  }
}

/** Holds what must be true; a failure is a bug, and the process should end. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
