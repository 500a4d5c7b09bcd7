import { Bytes, Headers, properties } from "@weft/sdk/assembly";
import { Address } from "./address";
import { Origin, Settings } from "./settings";

/** The address of the request that is decided about: there is one at a time. */
@lazy const client = new Address();

/** The client's address, or null if it cannot be told. Valid until the next call. */
export function clientOf(headers: Headers, settings: Settings): Address | null {
  const origin = settings.source.origin;
  const text = origin == Origin.Header
    ? entryFromRight(headers.getJoined(settings.header), settings.trustedHops)
    : properties.source.address();
  if (text == null || !client.readWithPort(text)) return null;
  // Envoy gives an address that it has out of a header the port 0, which no connection has.
  return origin == Origin.Peer && client.port < 1 ? null : client;
}

/**
 * An entry of a list with commas, counted from its right end, where trusted proxies write. What
 * stands further left came with the request: a client can write there what it likes.
 */
function entryFromRight(list: Bytes | null, place: i32): Bytes | null {
  if (list == null) return null;
  let start = list.length + 1;
  let end = start;
  for (let left = place; left > 0; left--) {
    if (start == 0) return null;
    end = start - 1;
    start = end;
    while (start > 0 && list.at(start - 1) != 0x2c) start--;
  }
  return list.slice(start, end).trim();
}
