import { Bytes, Headers, IpAddress, properties } from "@weft/sdk/assembly";
import { Origin, Settings } from "./settings";

/** The client's address, or null if it cannot be told. */
export function clientOf(headers: Headers, settings: Settings): IpAddress | null {
  const origin = settings.source.origin;
  if (origin == Origin.Header) {
    const entry = entryFromRight(headers.getJoined(settings.header), settings.trustedHops);
    return entry == null ? null : IpAddress.ofPeer(entry);
  }
  const peer = properties.source.address();
  // Envoy gives an address that it has out of a header the port 0, which no connection has.
  if (peer == null || (origin == Origin.Peer && peer.endsWith(":0"))) return null;
  return IpAddress.ofPeer(peer);
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
