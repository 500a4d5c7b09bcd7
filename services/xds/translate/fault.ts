import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type FaultAbortSchema,
  HTTPFaultSchema,
} from "@weft/proto/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import type {
  HttpFaultInjection_Abort as Abort,
  HttpFaultInjection,
} from "@weft/proto/weft/mesh/v1/fault_pb.ts";
import { ifPositive } from "./duration.ts";
import { pack } from "./encode.ts";
import type { Init } from "./init.ts";
import { fraction } from "./percent.ts";

export const FAULT_FILTER = "envoy.filters.http.fault";

/** gRPC's status names, in the order of their numbers. */
const GRPC_STATUSES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** The fault filter's configuration for one route; undefined if no fault is put in. */
export function faultConfig(fault: HttpFaultInjection | undefined): Any | undefined {
  const delay = fault?.delay;
  const fixedDelay =
    delay?.httpDelayType.case === "fixedDelay" ? ifPositive(delay.httpDelayType.value) : undefined;
  const abort = fault?.abort && abortConfig(fault.abort);
  if (fixedDelay === undefined && abort === undefined) return undefined;
  return pack(HTTPFaultSchema, {
    ...(fixedDelay && {
      delay: {
        faultDelaySecifier: { case: "fixedDelay", value: fixedDelay },
        percentage: fraction(delay?.percentage?.value ?? delay?.percent ?? 0),
      },
    }),
    ...(abort && { abort }),
  });
}

function abortConfig(abort: Abort): Init<typeof FaultAbortSchema> | undefined {
  const percentage = fraction(abort.percentage?.value ?? 0);
  const { case: how, value } = abort.errorType;
  switch (how) {
    case "httpStatus":
      return { errorType: { case: "httpStatus", value }, percentage };
    case "grpcStatus": {
      const status = GRPC_STATUSES.indexOf(value.toUpperCase());
      if (status < 0) return undefined;
      return { errorType: { case: "grpcStatus", value: status }, percentage };
    }
    case "http2Error":
    case undefined:
      return undefined;
  }
}
