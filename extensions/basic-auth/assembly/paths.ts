import { Bytes } from "@weft/sdk/assembly";

/** Whether this names paths: `/healthz`, or all that begin so, `/public/*`. */
export function isPlainPattern(pattern: Bytes): bool {
  if (pattern.at(0) != 0x2f) return false;
  const star = pattern.indexOfByte(0x2a);
  return star < 0 || star == pattern.length - 1;
}

/** Whether a request's path, query and all, is one of those that patterns name. */
export function isOneOf(path: Bytes, patterns: Bytes[]): bool {
  if (patterns.length == 0) return false;
  const plain = withoutQuery(path);
  if (!isPlain(plain)) return false;
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i];
    const last = pattern.length - 1;
    const isPrefix = pattern.at(last) == 0x2a;
    if (isPrefix ? plain.startsWith(pattern.slice(0, last)) : plain.equals(pattern)) return true;
  }
  return false;
}

function withoutQuery(path: Bytes): Bytes {
  for (let i = 0; i < path.length; i++) {
    const byte = path.at(i);
    if (byte == 0x3f || byte == 0x23) return path.slice(0, i);
  }
  return path;
}

/**
 * Whether an upstream cannot take a path for another one: `/public/../admin` and the like begin
 * with `/public/` and mean something else. Escapes of slashes and dots count, and so do those of
 * percent signs, for upstreams that decode twice.
 */
function isPlain(path: Bytes): bool {
  for (let i = 0; i < path.length; i++) {
    const byte = path.at(i);
    if (byte == 0x5c || byte < 0x21 || byte == 0x3b) return false;
    if (byte == 0x25 && isStructural(path.at(i + 1), path.at(i + 2))) return false;
    if (byte != 0x2f) continue;
    const next = path.at(i + 1);
    if (next == 0x2f) return false;
    if (next == 0x2e && isDotSegment(path, i + 1)) return false;
  }
  return true;
}

/** Whether `.` or `..` stands between slashes here. */
function isDotSegment(path: Bytes, at: i32): bool {
  const end = path.at(at + 1) == 0x2e ? at + 2 : at + 1;
  return end >= path.length || path.at(end) == 0x2f;
}

/** Whether `%` and these two stand for a dot, a slash, a backslash, a percent sign or a control. */
function isStructural(high: i32, low: i32): bool {
  const digit = low | 0x20;
  if (high == 0x32) return digit == 0x65 || digit == 0x66 || low == 0x35;
  return high == 0x30 || high == 0x31 || (high == 0x35 && digit == 0x63);
}
