import type { Context } from "./context.ts";
import type { Lane } from "./flow.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import type { HeaderMap } from "./header-map.ts";
import type { Properties } from "./properties.ts";
import { MapKind } from "./status.ts";

/** What attributes follow from. */
export interface Observed {
  readonly context: Context;
  readonly request: Lane;
  readonly response: Lane;
  /** Who has answered, and why. */
  readonly details: string | null;
  readonly begunNs: bigint;
}

/**
 * Attributes of a namespace that follow from what the stream carries (Envoy's "Attributes"): those
 * of headers are there as long as the headers are, the others from the time they are known.
 */
export function attributes(namespace: string, observed: Observed): Properties | undefined {
  if (namespace === "request") return ofRequest(observed);
  return namespace === "response" ? ofResponse(observed) : undefined;
}

function ofRequest({ context, request, begunNs }: Observed): Properties {
  const map = context.maps.get(MapKind.requestHeaders);
  const headersBytes = request.seenHeaders?.bytes ?? 0;
  return {
    ...(map === undefined ? {} : ofRequestHeaders(map)),
    protocol: "HTTP/1.1",
    time: begunNs,
    size: BigInt(request.receivedBytes),
    total_size: BigInt(request.receivedBytes + headersBytes),
    headers_bytes: BigInt(headersBytes),
    ...(context.isLogging && { duration: request.vm.world.clock.nowNs - begunNs }),
  };
}

function ofResponse({ context, response, details, begunNs }: Observed): Properties {
  const headers = context.maps.get(MapKind.responseHeaders);
  const trailers = context.maps.get(MapKind.responseTrailers);
  const status = response.seenHeaders?.first(":status");
  const headersBytes = response.seenHeaders?.bytes ?? 0;
  const { body } = response.passed;
  return {
    size: BigInt(context.isLogging ? body.byteLength : 0),
    flags: 0n,
    ...(status !== undefined &&
      STATUS.test(status) && { code: BigInt(status), ...grpcStatus(status, response) }),
    ...(headers !== undefined && { headers: joined(headers) }),
    ...(trailers !== undefined && { trailers: joined(trailers) }),
    total_size: BigInt(body.byteLength + headersBytes),
    headers_bytes: BigInt(headersBytes),
    ...(context.isLogging && { backend_latency: response.vm.world.clock.nowNs - begunNs }),
    ...(details === null ? {} : { code_details: details }),
  };
}

/** Where an attribute is one header. */
const HEADERS: readonly (readonly [attribute: string, header: string])[] = [
  ["path", ":path"],
  ["host", ":authority"],
  ["method", ":method"],
  ["scheme", ":scheme"],
  ["referer", "referer"],
  ["useragent", "user-agent"],
  ["id", "x-request-id"],
];

function ofRequestHeaders(map: HeaderMap): Properties {
  const path = map.first(":path") ?? "";
  const [urlPath = "", ...query] = path.split("?");
  const present = HEADERS.flatMap(([attribute, header]) => {
    const value = map.first(header);
    return value === undefined ? [] : [[attribute, value] as const];
  });
  return {
    ...Object.fromEntries(present),
    url_path: urlPath,
    query: query.join("?"),
    headers: joined(map),
  };
}

/** The status that trailers or headers tell, or else what that of HTTP is taken for. */
function grpcStatus(status: string, { seenTrailers, seenHeaders }: Lane): Properties {
  const told = seenTrailers?.first("grpc-status") ?? seenHeaders?.first("grpc-status");
  return { grpc_status: BigInt(told ?? grpcStatusOf(Number(status))) };
}

/** A header that is repeated is one, with its values between commas. */
function joined(map: HeaderMap): Properties {
  const values = new Map<string, string>();
  for (const [name, value] of map.entries()) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}
