import { Bytes } from "./bytes";

/** Whether these bytes are a token (RFC 9110 §5.6.2). Pseudo-headers, which route, are none. */
export function isHeaderName(name: Bytes): bool {
  if (name.length == 0) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = name.at(i);
    const letter = byte | 0x20;
    const isAlphanumeric = (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
    if (!isAlphanumeric && !isTokenSign(byte)) return false;
  }
  return true;
}

/** One of !#$%&'*+-.^_`|~ */
function isTokenSign(byte: i32): bool {
  switch (byte) {
    case 0x21: case 0x23: case 0x24: case 0x25: case 0x26: case 0x27: case 0x2a: case 0x2b:
    case 0x2d: case 0x2e: case 0x5e: case 0x5f: case 0x60: case 0x7c: case 0x7e:
      return true;
  }
  return false;
}

/** Whether these bytes can stand in a header: a line break would begin another header. */
export function isHeaderValue(value: Bytes): bool {
  for (let i = 0; i < value.length; i++) {
    const byte = value.at(i);
    if ((byte < 0x20 && byte != 0x09) || byte == 0x7f) return false;
  }
  return true;
}

/**
 * Whether a header is the proxy's own: `host` chooses the route, and the others frame a message,
 * of which two that differ smuggle requests. No configuration should have a plugin change them.
 */
export function isProxyHeader(name: Bytes): bool {
  return name.equalsIgnoringCase("host") || name.equalsIgnoringCase("connection")
    || name.equalsIgnoringCase("content-length") || name.equalsIgnoringCase("transfer-encoding")
    || name.equalsIgnoringCase("upgrade");
}
