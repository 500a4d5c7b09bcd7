import type { Header } from "./header-map.ts";

/** What a host decodes at most, as Envoy does: pairs, and their bytes in all. */
export const PAIRS_MAX = 1_024;
export const PAIRS_BYTES_MAX = 1_048_576;

/** Headers as the ABI serializes them: count, lengths, then names and values, each with a zero. */
export function encodePairs(headers: readonly (readonly Uint8Array[] | Header)[]): Uint8Array {
  if (headers.length === 0) return new Uint8Array();
  const parts = headers.flat();
  const lengths = parts.map((part) => Buffer.byteLength(part));
  let at = 4 + 4 * parts.length;
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + length + 1, at));
  bytes.writeUInt32LE(headers.length);
  for (const [i, part] of parts.entries()) {
    const length = lengths[i] ?? 0;
    bytes.writeUInt32LE(length, 4 + 4 * i);
    if (typeof part === "string") bytes.write(part, at);
    else bytes.set(part, at);
    at += length + 1;
  }
  return bytes;
}

/** Reads pairs; null if they are malformed, too many or too long. Nothing, or one zero, is none. */
export function decodePairs(bytes: Uint8Array): Header[] | null {
  if (bytes.byteLength === 0 || (bytes.byteLength === 1 && bytes[0] === 0)) return [];
  if (bytes.byteLength < 4 || bytes.byteLength > PAIRS_BYTES_MAX) return null;
  const source = Buffer.from(bytes);
  const count = source.readUInt32LE();
  let at = 4 + 8 * count;
  if (count > PAIRS_MAX || at > source.length) return null;
  const parts: string[] = [];
  for (let part = 0; part < 2 * count; part++) {
    const end = at + source.readUInt32LE(4 + 4 * part);
    if (end >= source.length || source[end] !== 0) return null;
    parts.push(source.toString("utf8", at, end));
    at = end + 1;
  }
  if (at !== source.length) return null;
  return Array.from({ length: count }, (_, i) => [parts[2 * i] ?? "", parts[2 * i + 1] ?? ""]);
}
