import { JetStreamApiError } from "@nats-io/jetstream";
import { type Code, type ErrorKind, WeftError } from "../error.ts";

/** What JetStream's own error codes mean for a log. */
const API_ERRORS: Readonly<Record<number, readonly [ErrorKind, Code]>> = {
  10008: ["unavailable", "log.unavailable"], // temporarily unavailable
  10023: ["unavailable", "log.full"], // insufficient resources
  10047: ["unavailable", "log.full"], // insufficient storage
  10054: ["invalid", "log.too_large"], // message size exceeds maximum
  10059: ["unavailable", "log.unavailable"], // stream not found
  10060: ["unavailable", "log.bad_stream"], // expected stream does not match
  10071: ["conflict", "log.conflict"], // wrong last sequence
  10077: ["unavailable", "log.full"], // maximum bytes exceeded, or the disk refuses
  10158: ["unavailable", "log.outcome_unknown"], // the same message id is in flight
  10164: ["conflict", "log.conflict"], // wrong last sequence, and another write is in flight
  10167: ["unavailable", "log.unavailable"], // too many requests
};

/**
 * What a failed publish means. A refusal by the server, or nobody there to take it, stored nothing;
 * whatever else went wrong after sending leaves the outcome unknown.
 */
export function asAppendError(log: string, commandId: string, cause: unknown): WeftError {
  if (cause instanceof WeftError) return cause;
  // A code that is not listed may be a refusal, or a server that failed half-way.
  if (cause instanceof JetStreamApiError && API_ERRORS[cause.code] === undefined) {
    return asUnknownOutcome(log, commandId, cause);
  }
  return asServerError(log, cause) ?? asUnknownOutcome(log, commandId, cause);
}

export function asUnknownOutcome(log: string, commandId: string, cause: unknown): WeftError {
  return new WeftError(
    "unavailable",
    "log.outcome_unknown",
    `${log} did not say whether it has command ${commandId}: ${messageOf(cause)}`,
    { cause },
  );
}

/** What a failed question means: it changed nothing, so it may be asked again. */
export function asReadError(log: string, cause: unknown): WeftError {
  if (cause instanceof WeftError) return cause;
  const message = `${log} does not answer: ${messageOf(cause)}`;
  return (
    asServerError(log, cause) ?? new WeftError("unavailable", "log.unavailable", message, { cause })
  );
}

function asServerError(log: string, cause: unknown): WeftError | undefined {
  if (cause instanceof JetStreamApiError) {
    const [kind, code] = API_ERRORS[cause.code] ?? ["unavailable", "log.unavailable"];
    return new WeftError(kind, code, `${log}: ${cause.message} (${cause.code})`, { cause });
  }
  // nats.js says so for "no responders", which is also a stream without a leader.
  if (cause instanceof Error && cause.name === "JetStreamNotEnabled") {
    const message = `nobody answers for ${log}: no leader, no such stream, or no JetStream`;
    return new WeftError("unavailable", "log.unavailable", message, { cause });
  }
  return undefined;
}

/** Whether JetStream says that the stream does not exist. */
export function isStreamMissing(cause: unknown): boolean {
  return cause instanceof JetStreamApiError && cause.code === 10059;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
