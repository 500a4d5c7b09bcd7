import type { Context } from "./context.ts";
import type { FlowControl } from "./flow.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import type { HeaderMap } from "./header-map.ts";
import type { Properties } from "./properties.ts";
import { MapKind } from "./status.ts";

/** What attributes follow from. */
export interface Observed {
  readonly context: Context;
  readonly request: FlowControl;
  readonly response: FlowControl;
  /** Who has answered, and why. */
  readonly details: string | null;
  readonly begunNs: bigint;
  readonly nowNs: bigint;
}

/**
 * Attributes that follow from what the stream carries (Envoy's "Attributes"): those of headers
 * are there as long as the headers are, the others from the time they are known.
 */
export function attributes({
  context,
  request,
  response,
  details,
  ...times
}: Observed): Properties {
  const asked = context.maps.get(MapKind.requestHeaders);
  const answer = context.maps.get(MapKind.responseHeaders);
  const trailers = context.maps.get(MapKind.responseTrailers);
  const status = response.seen.get(MapKind.responseHeaders)?.first(":status");
  const { begunNs, nowNs } = times;
  const bytes = (flow: FlowControl, kind: number) => flow.seen.get(kind)?.bytes ?? 0;
  const [requestBytes, responseBytes] = [
    bytes(request, MapKind.requestHeaders),
    bytes(response, MapKind.responseHeaders),
  ];
  return {
    request: {
      ...(asked === undefined ? {} : requestAttributes(asked)),
      protocol: "HTTP/1.1",
      time: begunNs,
      size: BigInt(request.receivedBytes),
      total_size: BigInt(request.receivedBytes + requestBytes),
      headers_bytes: BigInt(requestBytes),
      ...(context.isLogging && { duration: nowNs - begunNs }),
    },
    response: {
      size: BigInt(context.isLogging ? response.body.byteLength : 0),
      flags: 0n,
      ...(status !== undefined && { code: BigInt(status), ...grpcStatus(status, response) }),
      ...(answer !== undefined && { headers: joined(answer) }),
      ...(trailers !== undefined && { trailers: joined(trailers) }),
      total_size: BigInt(response.body.byteLength + responseBytes),
      headers_bytes: BigInt(responseBytes),
      ...(context.isLogging && { backend_latency: nowNs - begunNs }),
      ...(details === null ? {} : { code_details: details }),
    },
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

function requestAttributes(map: HeaderMap): Properties {
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
function grpcStatus(status: string, { seen }: FlowControl): Properties {
  const [told] = [MapKind.responseTrailers, MapKind.responseHeaders].flatMap(
    (kind) => seen.get(kind)?.first("grpc-status") ?? [],
  );
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
