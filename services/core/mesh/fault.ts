import type { HttpFaultInjection } from "@weft/proto/weft/mesh/v1/fault_pb.ts";
import type { Report } from "./finding.ts";
import { checkDuration, checkPercent, checkRange } from "./limits.ts";
import { didYouMean } from "./suggest.ts";

/** gRPC's codes by name (grpc.io, statuscodes.md). */
export const GRPC_CODES: Readonly<Record<string, number>> = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** Reports what is wrong with the faults of one rule. */
export function validateFault({ delay, abort }: HttpFaultInjection, report: Report): void {
  if (delay === undefined && abort === undefined) {
    report.missing("", "fault has neither delay nor abort");
  }
  if (delay !== undefined) validateDelay(delay, report.in("delay"));
  if (abort !== undefined) validateAbort(abort, report.in("abort"));
}

type Delay = NonNullable<HttpFaultInjection["delay"]>;
type Abort = NonNullable<HttpFaultInjection["abort"]>;

function validateDelay({ httpDelayType, percent, percentage }: Delay, report: Report): void {
  if (httpDelayType.case === undefined) report.missing("", "delay has no fixedDelay");
  else checkDuration(httpDelayType.value, { report, field: httpDelayType.case });
  checkPercent(percent, { report, field: "percent" });
  checkPercent(percentage?.value, { report, field: "percentage.value" });
}

function validateAbort({ errorType, percentage }: Abort, report: Report): void {
  checkPercent(percentage?.value, { report, field: "percentage.value" });
  switch (errorType.case) {
    case undefined:
      report.missing("", "abort has neither httpStatus nor grpcStatus");
      break;
    case "httpStatus":
      // Envoy's FaultAbort takes these only.
      checkRange(errorType.value, [200, 599], { report, field: "httpStatus" });
      break;
    case "grpcStatus":
      if (Object.hasOwn(GRPC_CODES, errorType.value)) break;
      report.bad(
        "grpcStatus",
        `grpcStatus ${JSON.stringify(errorType.value)} is no status of gRPC`,
        didYouMean(errorType.value, Object.keys(GRPC_CODES)),
      );
      break;
    case "http2Error":
      report.bad("http2Error", "http2Error is not something Envoy aborts with");
  }
}
