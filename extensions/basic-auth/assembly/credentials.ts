import { Bytes, fromBase64 } from "@weft/sdk/assembly";

/** Longer credentials are nobody's; hashing them would be work for nothing. */
export const CREDENTIALS_BYTES_MAX: i32 = 1024;

/** The `name:password` of `Basic <base64>` (RFC 7617 §2), with a name; null if it is none. */
export function decodedCredentials(credentials: Bytes): Bytes | null {
  if (credentials.length > CREDENTIALS_BYTES_MAX) return null;
  const space = credentials.indexOfByte(0x20);
  if (space < 0 || !credentials.slice(0, space).equalsIgnoringCase("basic")) return null;
  const decoded = fromBase64(credentials.slice(space).trim());
  if (decoded == null || decoded.indexOfByte(0x3a) < 1) return null;
  for (let i = 0; i < decoded.length; i++) {
    const byte = decoded.at(i);
    if (byte < 0x20 || byte == 0x7f) return null;
  }
  return decoded;
}
