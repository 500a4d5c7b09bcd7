import type { HttpRetry } from "@weft/proto/weft/mesh/v1/retry_pb.ts";
import type { Report } from "./finding.ts";
import { checkDuration, checkNotNegative } from "./limits.ts";
import { didYouMean } from "./suggest.ts";

/** Envoy's conditions for a retry, of HTTP and of gRPC (router filter, x-envoy-retry-on). */
const RETRY_CONDITIONS: ReadonlySet<string> = new Set([
  "5xx",
  "cancelled",
  "connect-failure",
  "deadline-exceeded",
  "envoy-ratelimited",
  "gateway-error",
  "http3-post-connect-failure",
  "internal",
  "refused-stream",
  "reset",
  "reset-before-request",
  "resource-exhausted",
  "retriable-4xx",
  "retriable-headers",
  "retriable-status-codes",
  "unavailable",
]);

/** Reports what is wrong with a retry policy. */
export function validateRetry(retry: HttpRetry, report: Report): void {
  checkNotNegative(retry.attempts, { report, field: "attempts" });
  checkDuration(retry.perTryTimeout, { report, field: "perTryTimeout" });
  checkDuration(retry.backoff, { report, field: "backoff" });
  for (const condition of retry.retryOn === "" ? [] : retry.retryOn.split(",")) {
    if (isRetryCondition(condition.trim())) continue;
    const help = didYouMean(condition.trim(), RETRY_CONDITIONS);
    report.bad("retryOn", `${JSON.stringify(condition)} is no condition for a retry`, help);
  }
  if (retry.attempts !== 0 || !report.isWritten("attempts")) return;
  for (const field of ["perTryTimeout", "retryOn", "retryRemoteLocalities"] as const) {
    if (retry[field] === undefined || retry[field] === "") continue;
    report.conflict(field, `${field} says how to retry, but attempts is 0`);
  }
}

/** A condition of Envoy's, or a response code. */
function isRetryCondition(text: string): boolean {
  return RETRY_CONDITIONS.has(text) || /^[1-5]\d\d$/.test(text);
}
