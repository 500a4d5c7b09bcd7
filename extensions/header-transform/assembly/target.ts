import { Bytes, isHeaderName, isProxyHeader, JsonReader } from "@weft/sdk/assembly";

/** Names in one list or map of a rule. */
const NAMES_MAX: i32 = 64;

/**
 * Refuses what is no name of a header that a rule may change, or stands among `others` already.
 */
export function checkTarget(json: JsonReader, name: Bytes, others: Bytes[]): void {
  if (others.length >= NAMES_MAX) json.refuse("is one name too many");
  if (!isHeaderName(name)) json.refuse("is no header name");
  if (isProxyHeader(name)) json.refuse("is the proxy's own and cannot be changed");
  for (let i = 0; i < others.length; i++) {
    if (name.equalsIgnoringCase(others[i])) json.refuse("is given twice");
  }
}
