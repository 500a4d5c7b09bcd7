// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

/**
 * The length of the UTF-8 sequence at `at`, or 0 if there is none: a lone continuation, a
 * sequence cut short or longer than needed, a surrogate, a value past U+10FFFF (RFC 3629 §4).
 */
export function sequenceLength(at: usize, end: usize): i32 {
  const first = load<u8>(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  for (let i = 1; i < length; i++) {
    if ((load<u8>(at + i) & 0xc0) != 0x80) return 0;
  }
  const second = load<u8>(at, 1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

/** What stands for half of a surrogate pair, which UTF-8 does not know. */
const REPLACEMENT: u32 = 0xfffd;

/** The most bytes that one unit of UTF-16 becomes. */
export const UNIT_BYTES_MAX: i32 = 3;

/** Writes UTF-16 as UTF-8 and answers how many bytes it took. */
export function encodeText(text: usize, units: i32, to: usize): i32 {
  const end = text + 2 * units;
  let at = to;
  for (let from = text; from < end; from += 2) {
    let codePoint: u32 = load<u16>(from);
    if (codePoint < 0x80) {
      store<u8>(at++, <u8>codePoint);
      continue;
    }
    if ((codePoint & 0xf800) == 0xd800) {
      const low: u32 = from + 2 < end ? load<u16>(from, 2) : 0;
      const isPair = codePoint < 0xdc00 && (low & 0xfc00) == 0xdc00;
      codePoint = isPair ? (codePoint << 10) + low - 0x35f_dc00 : REPLACEMENT;
      if (isPair) from += 2;
    }
    at += encode(codePoint, at);
  }
  return <i32>(at - to);
}

/** In front of a string, as of every object: its length in bytes. */
const SIZE_WORD: usize = 4;

/** The text that bytes encode. What is no UTF-8 becomes U+FFFD, a byte at a time. */
export function decodeText(start: usize, length: i32): string {
  // No byte becomes more than one unit of UTF-16; what stays free is cut off.
  const text = changetype<usize>(__new(2 * length, idof<string>()));
  const end = start + length;
  let to = text;
  for (let at = start; at < end; to += 2) {
    let codePoint: u32 = load<u8>(at);
    if (codePoint < 0x80) {
      store<u16>(to, codePoint);
      at++;
      continue;
    }
    const bytes = sequenceLength(at, end);
    codePoint = bytes == 0 ? REPLACEMENT : codePoint & (0x7f >> bytes);
    for (let i = 1; i < bytes; i++) codePoint = (codePoint << 6) | (load<u8>(at + i) & 0x3f);
    at += max(bytes, 1);
    if (bytes == 4) {
      store<u16>(to, 0xd7c0 + (codePoint >> 10));
      to += 2;
      codePoint = 0xdc00 | (codePoint & 0x3ff);
    }
    store<u16>(to, codePoint);
  }
  store<u32>(text - SIZE_WORD, <u32>(to - text));
  return changetype<string>(text);
}

/** Writes a code point and answers how many bytes it took. */
export function encode(codePoint: u32, to: usize): i32 {
  if (codePoint < 0x80) {
    store<u8>(to, codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(to, 0xc0 | (codePoint >> 6));
    store<u8>(to, 0x80 | (codePoint & 0x3f), 1);
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(to, 0xe0 | (codePoint >> 12));
    store<u8>(to, 0x80 | ((codePoint >> 6) & 0x3f), 1);
    store<u8>(to, 0x80 | (codePoint & 0x3f), 2);
    return 3;
  }
  store<u8>(to, 0xf0 | (codePoint >> 18));
  store<u8>(to, 0x80 | ((codePoint >> 12) & 0x3f), 1);
  store<u8>(to, 0x80 | ((codePoint >> 6) & 0x3f), 2);
  store<u8>(to, 0x80 | (codePoint & 0x3f), 3);
  return 4;
}
