import { Bytes } from "./bytes";
import { hexValue } from "./encoding";
import { withoutQuery } from "./query";

// Whoever decides by paths must know that upstreams read them in more ways than one: `/a/../b`,
// `/%62` and `//b` may all mean `/b`. A path that can be taken for another one is not plain, and
// what is right for it depends on who asks: no exemption holds for it, and every limit does.

/** Whether this names paths: `/healthz`, or all that begin so, `/public/*`. */
export function isPathPattern(pattern: Bytes): bool {
  if (pattern.at(0) != 0x2f) return false;
  const star = pattern.indexOfByte(0x2a);
  return star < 0 || star == pattern.length - 1;
}

/** Whether a path is one of those that a pattern names. Its query is no part of it. */
export function matchesPath(path: Bytes, pattern: Bytes): bool {
  const plain = withoutQuery(path);
  const last = pattern.length - 1;
  if (pattern.at(last) != 0x2a) return plain.equals(pattern);
  return plain.startsWith(pattern.slice(0, last));
}

/**
 * Whether nobody can take a path for another one. It has none of `//`, `/./`, `/../`, `\` and `;`,
 * and no escapes of what needs none, nor of dots, slashes, backslashes, percent signs, controls.
 */
export function isPlainPath(path: Bytes): bool {
  const plain = withoutQuery(path);
  if (plain.at(0) != 0x2f) return false;
  for (let i = 0; i < plain.length; i++) {
    const byte = plain.at(i);
    if (byte == 0x5c || byte == 0x3b || byte < 0x21 || byte == 0x7f) return false;
    if (byte == 0x25 && !isNeeded(plain.at(i + 1), plain.at(i + 2))) return false;
    if (byte != 0x2f) continue;
    const next = plain.at(i + 1);
    if (next == 0x2f) return false;
    if (next == 0x2e && isDotSegment(plain, i + 1)) return false;
  }
  return true;
}

/** Whether `.` or `..` stands between slashes here. */
function isDotSegment(path: Bytes, at: i32): bool {
  const end = path.at(at + 1) == 0x2e ? at + 2 : at + 1;
  return end >= path.length || path.at(end) == 0x2f;
}

/** Whether `%` and these two digits stand for what a path can hold in no other way. */
function isNeeded(high: i32, low: i32): bool {
  const byte = (hexValue(<u8>high) << 4) | hexValue(<u8>low);
  if (byte < 0x20 || byte == 0x7f) return false;
  const letter = byte | 0x20;
  if (byte < 0x80 && letter >= 0x61 && letter <= 0x7a) return false;
  if (byte >= 0x30 && byte <= 0x39) return false;
  switch (byte) {
    // - . / \ _ ~ %
    case 0x2d: case 0x2e: case 0x2f: case 0x5c: case 0x5f: case 0x7e: case 0x25: return false;
  }
  return true;
}
