import { Bytes, isHeaderName, JsonReader } from "@weft/sdk/assembly";

/** Names in one list or map of a rule. */
const NAMES_MAX: i32 = 64;

/**
 * Refuses what is no name of a header that a rule may change, or stands among `others` already.
 * Pseudo-headers and `host` choose the route, and those that frame a message are the proxy's: two
 * that differ smuggle requests.
 */
export function checkTarget(json: JsonReader, name: Bytes, others: Bytes[]): void {
  if (others.length >= NAMES_MAX) json.refuse("is one name too many");
  if (!isHeaderName(name)) json.refuse("is no header name");
  if (isProxys(name)) json.refuse("is the proxy's own and cannot be changed");
  for (let i = 0; i < others.length; i++) {
    if (name.equalsIgnoringCase(others[i])) json.refuse("is given twice");
  }
}

/** Whether a header is one of those that no rule may change. */
export function isProxys(name: Bytes): bool {
  return name.equalsIgnoringCase("host") || name.equalsIgnoringCase("connection")
    || name.equalsIgnoringCase("content-length") || name.equalsIgnoringCase("transfer-encoding")
    || name.equalsIgnoringCase("upgrade");
}
