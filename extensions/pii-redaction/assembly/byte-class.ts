import { Kind, Kinds } from "./kinds";

// What a byte can be part of, as bits of a table. Where a bit ends, from one byte to the next,
// something may have ended that is worth a look.

/** 0-9 */
export const DIGIT: u32 = 1;
/** A letter or digit of ASCII. */
export const ALNUM: u32 = 2;
/** What stands in the domain of an address: letters, digits, dots and hyphens. */
export const DOMAIN: u32 = 4;
/** What stands in the part before the @, in practice; RFC 5322 knows more. */
export const LOCAL: u32 = 8;
/** A hexadecimal digit or a colon. */
export const IPV6: u32 = 16;
/** What a finding can be made of. A run of these may become one, and is held back. */
export const CANDIDATE: u32 = 32;

/** An @, or the last byte of %40, which is one in a form. */
export const SIGN: u32 = 64;
/** A quote or backslash: what ends a string of JSON, or does not. */
export const QUOTING: u32 = 128;

/** The classes of all bytes, as far as these kinds need them. */
export function classesFor(kinds: Kinds): StaticArray<u8> {
  const table = new StaticArray<u8>(256);
  mark(table, "0123456789", DIGIT | ALNUM | DOMAIN | LOCAL | IPV6);
  mark(table, "abcdefABCDEF", ALNUM | DOMAIN | LOCAL | IPV6);
  mark(table, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", ALNUM | DOMAIN | LOCAL);
  mark(table, ".-", DOMAIN | LOCAL);
  mark(table, "_%+", LOCAL);
  mark(table, ":", IPV6);
  mark(table, "\"\\", QUOTING);
  // Letters, digits, dots and hyphens decide about the borders of every kind.
  if (kinds.searches) markCandidates(table, ALNUM | DOMAIN);
  if (kinds.has(Kind.Email)) {
    markCandidates(table, LOCAL);
    mark(table, "@", CANDIDATE | SIGN);
    mark(table, "0", SIGN);
  }
  const isSpaced = kinds.has(Kind.Card) || kinds.has(Kind.Iban) || kinds.has(Kind.Ssn);
  if (isSpaced || kinds.has(Kind.Phone)) mark(table, " ", CANDIDATE);
  if (kinds.has(Kind.Phone)) mark(table, "+()/", CANDIDATE);
  if (kinds.has(Kind.Ipv6)) markCandidates(table, IPV6);
  return table;
}

/** The classes whose ends are looked at for these kinds; that of a domain only behind an @. */
export function endsFor(kinds: Kinds): u32 {
  const isNumber = kinds.has(Kind.Card) || kinds.has(Kind.Ssn) || kinds.has(Kind.Phone);
  let ends = isNumber || kinds.has(Kind.Ipv4) ? DIGIT : 0;
  if (kinds.has(Kind.Iban)) ends |= ALNUM;
  if (kinds.has(Kind.Ipv6)) ends |= IPV6;
  return ends;
}

function mark(table: StaticArray<u8>, characters: string, bits: u32): void {
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] |= <u8>bits;
}

function markCandidates(table: StaticArray<u8>, bits: u32): void {
  for (let byte = 0; byte < 256; byte++) {
    if ((table[byte] & <u8>bits) != 0) table[byte] |= <u8>CANDIDATE;
  }
}

@inline
export function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

@inline
export function isLetter(byte: u32): bool {
  return (byte | 0x20) - 0x61 < 26;
}

@inline
export function isAlnum(byte: u32): bool {
  return isDigit(byte) || isLetter(byte);
}

/** The byte before `at`, or 0 where nothing is known of it: then it is no part of a finding. */
@inline
export function before(low: usize, at: usize): u32 {
  return at > low ? load<u8>(at - 1) : 0;
}
