// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { room } from "./room";
import { textLength, textStart } from "./text";

// Bytes as text and back. What comes back lives until the callback ends, as any view.

/** The characters of base64 (RFC 4648 §4), and of base64url (§5), which differs in the last two. */
@lazy const ALPHABET = memory.data<u8>([
  65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88,
  89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114,
  115, 116, 117, 118, 119, 120, 121, 122, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 43, 47,
]);

/** The bytes in hexadecimal, in small letters. */
export function toHex<T>(text: T): Bytes {
  const from = textStart<T>(text);
  const length = textLength();
  const hex = room(2 * length);
  if (hex.isEmpty) return hex;
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(from + i);
    store<u8>(hex.start + 2 * i, hexDigit(byte >> 4));
    store<u8>(hex.start + 2 * i + 1, hexDigit(byte & 0x0f));
  }
  return hex;
}

/** What hexadecimal of either case says; null if it is none. */
export function fromHex<T>(text: T): Bytes | null {
  const from = textStart<T>(text);
  const length = textLength();
  if ((length & 1) != 0) return null;
  const bytes = room(length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexValue(load<u8>(from + 2 * i));
    const low = hexValue(load<u8>(from + 2 * i + 1));
    if ((high | low) < 0) return null;
    store<u8>(bytes.start + i, <u8>((high << 4) | low));
  }
  return bytes;
}

/** The bytes in base64, with padding. */
export function toBase64<T>(text: T): Bytes {
  const from = textStart<T>(text);
  return encoded(from, textLength(), 43, 47, true);
}

/** The bytes in base64url, without padding, as JWTs have it. */
export function toBase64Url<T>(text: T): Bytes {
  const from = textStart<T>(text);
  return encoded(from, textLength(), 45, 95, false);
}

/** What base64 says, with padding or without; null if it is none. */
export function fromBase64<T>(text: T): Bytes | null {
  const from = textStart<T>(text);
  return decoded(from, textLength(), 43, 47);
}

/** What base64url says, with padding or without; null if it is none. */
export function fromBase64Url<T>(text: T): Bytes | null {
  const from = textStart<T>(text);
  return decoded(from, textLength(), 45, 95);
}

function encoded(from: usize, length: i32, sign62: u8, sign63: u8, isPadded: bool): Bytes {
  const full = length / 3 * 4;
  const rest = length % 3;
  const tail = rest == 0 ? 0 : isPadded ? 4 : rest + 1;
  const text = room(full + tail);
  if (text.isEmpty) return text;
  let to = text.start;
  for (let i = 0; i < length; i += 3) {
    const second = i + 1 < length ? load<u8>(from + i, 1) : 0;
    const third = i + 2 < length ? load<u8>(from + i, 2) : 0;
    const group = (<u32>load<u8>(from + i) << 16) | (<u32>second << 8) | third;
    const signs = min(length - i, 3) + 1;
    for (let j = 0; j < 4; j++) {
      if (j >= signs && !isPadded) break;
      const value = (group >> (18 - 6 * j)) & 63;
      const sign = value < 62 ? load<u8>(ALPHABET + value) : value == 62 ? sign62 : sign63;
      store<u8>(to++, j < signs ? sign : 0x3d);
    }
  }
  return text;
}

function decoded(from: usize, size: i32, sign62: u8, sign63: u8): Bytes | null {
  let length = size;
  if ((length & 3) == 0) {
    for (let i = 0; i < 2 && length > 0 && load<u8>(from + length - 1) == 0x3d; i++) length--;
  }
  const rest = length & 3;
  if (rest == 1) return null;
  const bytes = room(length / 4 * 3 + (rest == 0 ? 0 : rest - 1));
  let bits: u32 = 0;
  let group: u32 = 0;
  let to = bytes.start;
  for (let i = 0; i < length && !bytes.isEmpty; i++) {
    const value = base64Value(load<u8>(from + i), sign62, sign63);
    if (value < 0) return null;
    group = (group << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    store<u8>(to++, <u8>(group >> bits));
  }
  // Bits left over say nothing, and must: otherwise several texts would mean the same.
  return (group & ((1 << bits) - 1)) == 0 ? bytes : null;
}

/** What a character of base64 stands for, or -1. */
function base64Value(sign: u8, sign62: u8, sign63: u8): i32 {
  if (<u8>(sign - 65) < 26) return sign - 65;
  if (<u8>(sign - 97) < 26) return sign - 71;
  if (<u8>(sign - 48) < 10) return sign + 4;
  return sign == sign62 ? 62 : sign == sign63 ? 63 : -1;
}

function hexDigit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** What a hexadecimal digit stands for, or -1. */
export function hexValue(sign: u8): i32 {
  const letter: u8 = (sign | 0x20) - 97;
  if (letter < 6) return letter + 10;
  const digit: u8 = sign - 48;
  return digit < 10 ? digit : -1;
}
