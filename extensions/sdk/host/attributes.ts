import type { Context, LocalResponse } from "./context.ts";
import type { HeaderMap } from "./header-map.ts";
import type { Properties } from "./properties.ts";
import { MapKind } from "./status.ts";

/** What `:status` holds if it is one. */
const STATUS = /^\d{3}$/;

/** Attributes that follow from the headers there are now (Envoy's "Attributes", "Request"). */
export function attributes(context: Context, local: LocalResponse | null): Properties {
  const request = context.maps.get(MapKind.requestHeaders);
  const response = context.maps.get(MapKind.responseHeaders);
  const status = response?.first(":status");
  return {
    ...(request === undefined ? {} : { request: requestAttributes(request) }),
    response: {
      ...(status === undefined || !STATUS.test(status) ? {} : { code: BigInt(status) }),
      ...(response === undefined ? {} : { headers: joined(response) }),
      ...(local === null ? {} : { code_details: local.details }),
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
    headers_bytes: BigInt(map.bytes),
  };
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
