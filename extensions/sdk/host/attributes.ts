import type { Context } from "./context.ts";
import type { Lane } from "./flow.ts";
import { grpcStatusOf } from "./grpc-status.ts";
import type { HeaderMap } from "./header-map.ts";
import { findProperty, type Properties, type Property } from "./properties.ts";
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

/** How an attribute follows; undefined while it is not known. */
type Attribute = (observed: Observed) => Property | undefined;

type Attributes = Readonly<Record<string, Attribute>>;

const mapOf =
  (kind: number) =>
  ({ context }: Observed): HeaderMap | undefined =>
    context.maps.get(kind);

const requestHeaders = mapOf(MapKind.requestHeaders);

const header =
  (name: string): Attribute =>
  (observed) =>
    requestHeaders(observed)?.first(name);

/** The path as far as the question mark, and what comes behind it. */
function pathOf(observed: Observed): readonly [path: string, query: string] | undefined {
  const map = requestHeaders(observed);
  if (map === undefined) return undefined;
  const [path = "", ...query] = (map.first(":path") ?? "").split("?");
  return [path, query.join("?")];
}

const headersBytes = ({ seenHeaders }: Lane): number => seenHeaders?.bytes ?? 0;

const elapsed: Attribute = ({ context, request, begunNs }) =>
  context.isLogging ? request.vm.world.clock.nowNs - begunNs : undefined;

const request: Attributes = {
  path: header(":path"),
  host: header(":authority"),
  method: header(":method"),
  scheme: header(":scheme"),
  referer: header("referer"),
  useragent: header("user-agent"),
  id: header("x-request-id"),
  url_path: (observed) => pathOf(observed)?.[0],
  query: (observed) => pathOf(observed)?.[1],
  headers: (observed) => joined(requestHeaders(observed)),
  protocol: () => "HTTP/1.1",
  time: ({ begunNs }) => begunNs,
  size: ({ request }) => BigInt(request.receivedBytes),
  total_size: ({ request }) => BigInt(request.receivedBytes + headersBytes(request)),
  headers_bytes: ({ request }) => BigInt(headersBytes(request)),
  duration: elapsed,
};

/** What `:status` holds if it is one. */
const STATUS = /^\d{3}$/;

function statusOf({ response }: Observed): string | undefined {
  const status = response.seenHeaders?.first(":status");
  return status !== undefined && STATUS.test(status) ? status : undefined;
}

/** The status that trailers or headers tell, or else what that of HTTP is taken for. */
const grpcStatus: Attribute = (observed) => {
  const { seenTrailers, seenHeaders } = observed.response;
  const status = statusOf(observed);
  if (status === undefined) return undefined;
  const told = seenTrailers?.first("grpc-status") ?? seenHeaders?.first("grpc-status");
  return BigInt(told ?? grpcStatusOf(Number(status)));
};

const response: Attributes = {
  size: ({ context, response }) => BigInt(context.isLogging ? response.passed.body.byteLength : 0),
  flags: () => 0n,
  code: (observed) => {
    const status = statusOf(observed);
    return status === undefined ? undefined : BigInt(status);
  },
  grpc_status: grpcStatus,
  headers: (observed) => joined(mapOf(MapKind.responseHeaders)(observed)),
  trailers: (observed) => joined(mapOf(MapKind.responseTrailers)(observed)),
  total_size: ({ response }) => BigInt(response.passed.body.byteLength + headersBytes(response)),
  headers_bytes: ({ response }) => BigInt(headersBytes(response)),
  backend_latency: elapsed,
  code_details: ({ details }) => details ?? undefined,
};

/** A header that is repeated is one, with its values between commas. */
function joined(map: HeaderMap | undefined): Properties | undefined {
  if (map === undefined) return undefined;
  const values = new Map<string, string>();
  for (const [name, value] of map.entries()) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

/** The attributes that follow from what a stream carries (Envoy's "Attributes"). */
const NAMESPACES: Readonly<Record<string, Attributes>> = { request, response };

export const isNamespace = (name: string): boolean => Object.hasOwn(NAMESPACES, name);

/**
 * One of a namespace, or all that are known: those of headers are there as long as the headers
 * are, the others from the time they are known.
 */
export function attribute(
  [namespace = "", name, ...rest]: readonly string[],
  observed: Observed,
): Property | undefined {
  const attributes = NAMESPACES[namespace] ?? {};
  if (name !== undefined) {
    const follow = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    return findProperty(follow?.(observed), rest);
  }
  const known = Object.entries(attributes).flatMap(([each, follow]) => {
    const value = follow(observed);
    return value === undefined ? [] : [[each, value] as const];
  });
  return Object.fromEntries(known);
}
