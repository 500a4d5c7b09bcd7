import { before, isAlnum, isDigit } from "./byte-class";
import { ipv4Before } from "./numbers";

/** The longest address: six groups, then an IPv4 address. */
const BYTES_MAX: usize = 45;

const GROUPS: i32 = 8;

/**
 * Where the IPv6 address (RFC 4291 §2.2) begins that ends at `end`, or 0: eight groups of up to
 * four hexadecimal digits, or fewer around one `::`; the last two may be an IPv4 address.
 */
export function ipv6Before(low: usize, end: usize): usize {
  const ipv4 = ipv4Within(low, end);
  const least = end - low > BYTES_MAX ? end - BYTES_MAX : low;
  let at = ipv4 != 0 ? ipv4 : end;
  let groups = ipv4 != 0 ? 2 : 0;
  let digits = 0;
  let hasGap = false;
  let colons = 0;
  while (at > least) {
    const byte: u32 = load<u8>(at - 1);
    if (isHex(byte)) {
      if (digits++ == 0) groups++;
      if (digits > 4) return 0;
      colons = 0;
    } else if (byte == 0x3a) {
      if (++colons > 2 || (colons == 2 && hasGap)) return 0;
      if (colons == 2) hasGap = true;
      digits = 0;
    } else break;
    at--;
  }
  // A colon alone belongs to the text around: `at: fe80::1`.
  if (colons == 1) at++;
  if (isAlnum(before(low, at)) || before(low, at) == 0x2e) return 0;
  const isWhole = groups == GROUPS && !hasGap;
  return isWhole || (hasGap && groups > 0 && groups < GROUPS) ? at : 0;
}

/** Where an IPv4 address begins that follows a colon and ends at `end`. */
function ipv4Within(low: usize, end: usize): usize {
  const start = ipv4Before(low, end);
  return start != 0 && before(low, start) == 0x3a ? start : 0;
}

@inline
function isHex(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 6;
}
