import { before, isAlnum, isDigit } from "./byte-class";

// What ends with a digit: each function is asked where a group of digits has ended, looks back
// over a bounded number of bytes, and answers where the finding begins, or 0. `low` is the first
// byte that is known; what lies before it is no part of a number.

const CARD_DIGITS_MIN: u32 = 13;
const CARD_DIGITS_MAX: u32 = 19;

/** As E.164 has it; fewer are no number one can dial from abroad. */
const PHONE_DIGITS_MIN: u32 = 7;
const PHONE_DIGITS_MAX: u32 = 15;

/** Groups of digits in a telephone number, as people write them. */
const PHONE_GROUPS_MAX: u32 = 7;

/** Signs in a row between groups of a telephone number, as in `+1 (555) 0100`. */
const PHONE_SIGNS_MAX: u32 = 2;

/**
 * The longest card number (ISO/IEC 7812) that ends at `end`: 13 to 19 digits, the first from 2 to
 * 6, the last as Luhn's formula wants it. They stand together, or in groups as on cards, of four
 * or of 4, 6 and 4 or 5, with a space or hyphen between.
 */
export function cardBefore(low: usize, end: usize): usize {
  let start: usize = 0;
  let digits: u32 = 0;
  let sum: u32 = 0;
  let sign: u32 = 0;
  let group = 0;
  let groups = 0;
  let areFours = true;
  let areThree = true;
  let at = end;
  while (at > low) {
    const byte: u32 = load<u8>(--at);
    if (!isDigit(byte)) {
      const isSign = byte == 0x20 || byte == 0x2d;
      if (!isSign || (sign != 0 && byte != sign) || !isDigit(before(low, at))) break;
      sign = byte;
      continue;
    }
    if (++digits > CARD_DIGITS_MAX) break;
    group++;
    const value = byte - 0x30;
    sum += (digits & 1) != 0 ? value : 2 * value - (value > 4 ? 9 : 0);
    if (isDigit(before(low, at))) continue;
    areFours = areFours && (group == 4 || (groups == 0 && group < 4));
    areThree = areThree && (groups == 1 ? group == 6 : group == 4 || (groups == 0 && group == 5));
    if (groups > 0 && !areFours && !areThree) break;
    const isLaidOut = groups == 0 || areFours || groups == 2;
    const mayBegin = digits >= CARD_DIGITS_MIN && value >= 2 && value <= 6;
    if (isLaidOut && mayBegin && sum % 10 == 0 && isNumberStart(low, at)) start = at;
    group = 0;
    groups++;
  }
  return start;
}

/** A US social security number: `AAA-GG-SSSS` or with spaces, without numbers never given out. */
export function ssnBefore(low: usize, end: usize): usize {
  if (end - low < 11) return 0;
  const start = end - 11;
  const sign = load<u8>(start, 3);
  if ((sign != 0x2d && sign != 0x20) || load<u8>(start, 6) != sign) return 0;
  const area = decimalAt(start, 3);
  const group = decimalAt(start + 4, 2);
  const serial = decimalAt(start + 7, 4);
  if (area < 1 || area == 666 || area > 899 || group < 1 || serial < 1) return 0;
  return isNumberStart(low, start) ? start : 0;
}

/**
 * The longest telephone number that ends at `end`: `+` and 7 to 15 digits, or ten digits of North
 * America written `(555) 555-0100`, `555-555-0100` or `555.555.0100`.
 */
export function phoneBefore(low: usize, end: usize): usize {
  let start: usize = 0;
  let digits: u32 = 0;
  let groups: u32 = 1;
  let signs: u32 = 0;
  let at = end;
  while (at > low) {
    const byte: u32 = load<u8>(--at);
    if (isDigit(byte)) {
      if (signs > 0) groups++;
      if (++digits > PHONE_DIGITS_MAX || groups > PHONE_GROUPS_MAX) break;
      signs = 0;
    } else if (byte == 0x2b) {
      if (digits >= PHONE_DIGITS_MIN && !isAlnum(before(low, at))) start = at;
      break;
    } else if (!isPhoneSign(byte) || ++signs > PHONE_SIGNS_MAX) break;
  }
  return start != 0 ? start : northAmericanBefore(low, end);
}

function northAmericanBefore(low: usize, end: usize): usize {
  if (end - low < 12) return 0;
  const sign = load<u8>(end - 5);
  if ((sign != 0x2d && sign != 0x2e) || decimalAt(end - 4, 4) < 0) return 0;
  if (decimalAt(end - 8, 3) < 200) return 0;
  const second = load<u8>(end - 9);
  if (second == sign && decimalAt(end - 12, 3) >= 200) {
    return isNumberStart(low, end - 12) ? end - 12 : 0;
  }
  const closing = second == 0x20 ? end - 10 : end - 9;
  if (closing < low + 4 || load<u8>(closing) != 0x29 || load<u8>(closing - 4) != 0x28) return 0;
  if (decimalAt(closing - 3, 3) < 200) return 0;
  return isAlnum(before(low, closing - 4)) ? 0 : closing - 4;
}

@inline
function isPhoneSign(byte: u32): bool {
  return byte == 0x20 || byte == 0x2d || byte == 0x2e || byte == 0x28 || byte == 0x29
    || byte == 0x2f;
}

/** An IPv4 address in dotted decimals: four numbers up to 255 without leading zeros. */
export function ipv4Before(low: usize, end: usize): usize {
  let at = end;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && (at == low || load<u8>(--at) != 0x2e)) return 0;
    let value: u32 = 0;
    let scale: u32 = 1;
    const last = at;
    while (at > low && last - at < 3 && isDigit(load<u8>(at - 1))) {
      value += scale * (load<u8>(--at) - 0x30);
      scale *= 10;
    }
    const length = last - at;
    if (length == 0 || value > 255 || (length > 1 && load<u8>(at) == 0x30)) return 0;
  }
  return isNumberStart(low, at) ? at : 0;
}

/** Whether a number can begin here, and is not the rest of a longer one or of a word. */
function isNumberStart(low: usize, at: usize): bool {
  const byte = before(low, at);
  if (isAlnum(byte)) return false;
  return !(byte == 0x2e && isDigit(before(low, at - 1)));
}

/** The decimal number in so many bytes, or -1 if they are no digits. */
function decimalAt(at: usize, length: usize): i32 {
  let value = 0;
  for (let i: usize = 0; i < length; i++) {
    const digit = <u32>load<u8>(at + i) - 0x30;
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
