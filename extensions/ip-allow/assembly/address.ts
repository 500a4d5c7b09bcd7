import { Bytes } from "@weft/sdk/assembly";

/** Groups of 16 bits in an IPv6 address. */
const GROUPS: i32 = 8;

/** The groups of the address that is being read. */
const groups = memory.data(16, 2);

/**
 * An IP address as a number of 128 bits. IPv4 stands in the topmost 32 and is a family of its own;
 * an IPv4 address in the form of IPv6 (`::ffff:10.0.0.1`) is IPv4.
 */
@final
export class Address {
  isV6: bool = false;
  high: u64 = 0;
  low: u64 = 0;
  /** Whether it was written in the form of IPv6, though it may be IPv4. */
  isWrittenAsV6: bool = false;
  /** The port behind it, or -1 if there is none. */
  port: i32 = -1;

  /** Reads an address as RFC 4291 §2.2 writes them, and nothing else; false if it is none. */
  read(text: Bytes): bool {
    return this.readBetween(text, 0, text.length);
  }

  /** As `read`, of what stands before `end`. */
  readBetween(text: Bytes, start: i32, end: i32): bool {
    const colon = text.indexOfByte(0x3a, start);
    this.isWrittenAsV6 = colon >= 0 && colon < end;
    if (this.isWrittenAsV6) return this.readV6(text, start, end);
    const quad = quadIn(text, start, end);
    if (quad < 0) return false;
    this.takeV4(<u64>quad);
    return true;
  }

  /** As `read`, of what may have a port behind it: `10.0.0.1:80`, `[::1]`, `[::1]:80`. */
  readWithPort(text: Bytes): bool {
    this.port = -1;
    if (text.at(0) == 0x5b) {
      const bracket = text.indexOfByte(0x5d);
      const isRead = bracket > 0 && this.readBetween(text, 1, bracket) && this.isWrittenAsV6;
      return isRead && this.readPort(text, bracket + 1);
    }
    const colon = text.indexOfByte(0x3a);
    if (colon < 0 || text.indexOfByte(0x3a, colon + 1) >= 0) return this.read(text);
    return this.readBetween(text, 0, colon) && this.readPort(text, colon);
  }

  /** Reads what may follow an address: nothing, or a colon and a port. */
  private readPort(text: Bytes, from: i32): bool {
    if (from == text.length) return true;
    if (text.at(from) != 0x3a) return false;
    const port = text.slice(from + 1).toInteger(-1);
    this.port = <i32>port;
    return port >= 0 && port <= 65_535;
  }

  /** The bit at a position, counted from the topmost. */
  @inline
  bit(position: u32): u32 {
    return bitOf(this.high, this.low, position);
  }

  private readV6(text: Bytes, from: i32, end: i32): bool {
    let count = 0;
    let gap = -1;
    let at = from;
    if (text.at(at) == 0x3a) {
      if (at + 2 > end || text.at(at + 1) != 0x3a) return false;
      gap = 0;
      at += 2;
    }
    while (at < end) {
      if (count == GROUPS) return false;
      const start = at;
      let group: u32 = 0;
      for (; at < end && hexDigit(text.at(at)) >= 0; at++) {
        if (at - start == 4) return false;
        group = (group << 4) | hexDigit(text.at(at));
      }
      if (at < end && text.at(at) == 0x2e) {
        const quad = quadIn(text, start, end);
        if (quad < 0 || count > GROUPS - 2) return false;
        putGroup(count++, <u32>(quad >> 16));
        putGroup(count++, <u32>quad);
        break;
      }
      if (at == start) return false;
      putGroup(count++, group);
      if (at == end) break;
      if (text.at(at++) != 0x3a || at == end) return false;
      if (text.at(at) != 0x3a) continue;
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
    if (gap < 0 ? count != GROUPS : count == GROUPS) return false;
    this.takeGroups(count, gap < 0 ? count : gap);
    return true;
  }

  /** Takes the groups that were read; zeros fill the gap, which `::` stands for. */
  private takeGroups(count: i32, gap: i32): void {
    this.high = 0;
    this.low = 0;
    for (let i = 0; i < count; i++) {
      const place = i < gap ? i : i + GROUPS - count;
      const group = <u64>load<u16>(groups + 2 * i) << <u64>(48 - 16 * (place & 3));
      if (place < 4) this.high |= group;
      else this.low |= group;
    }
    const isMapped = this.high == 0 && this.low >> 32 == 0xffff;
    if (isMapped) this.takeV4(this.low & 0xffff_ffff);
    else this.isV6 = true;
  }

  private takeV4(quad: u64): void {
    this.isV6 = false;
    this.high = quad << 32;
    this.low = 0;
  }
}

/** The bit of a number of 128 bits at a position, counted from the topmost. */
@inline
export function bitOf(high: u64, low: u64, position: u32): u32 {
  const word = position < 64 ? high : low;
  return <u32>(word >> (63 - (position & 63))) & 1;
}

function putGroup(index: i32, group: u32): void {
  store<u16>(groups + 2 * index, <u16>group);
}

/**
 * The four decimal numbers from `from` to `end`, as one, or -1. A number with a zero in front is
 * refused: some read it as octal.
 */
function quadIn(text: Bytes, from: i32, end: i32): i64 {
  let quad: i64 = 0;
  let at = from;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.at(at++) != 0x2e) return -1;
    const start = at;
    let part = 0;
    while (at < end && <u32>text.at(at) - 0x30 < 10) {
      part = part * 10 + text.at(at) - 0x30;
      if (++at - start > 3) return -1;
    }
    if (at == start || part > 255 || (at - start > 1 && text.at(start) == 0x30)) return -1;
    quad = (quad << 8) | part;
  }
  return at == end ? quad : -1;
}

function hexDigit(byte: i32): i32 {
  if (<u32>byte - 0x30 < 10) return byte - 0x30;
  const letter = byte | 0x20;
  return byte >= 0 && letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
