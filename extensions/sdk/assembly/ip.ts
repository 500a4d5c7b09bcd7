// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { hexValue } from "./encoding";
import { textLength, textStart } from "./text";

/** In front of the 32 bits of an IPv4 address: it counts as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
const MAPPED: u64 = 0xffff_0000_0000;

/** Bits of an address, and how many of them an IPv4 address has in front. */
const BITS: i32 = 128;
const V4_PREFIX: i32 = 96;

const PORT_MAX: i64 = 65_535;

/** The bits of the address that was read last. */
let high: u64 = 0;
let low: u64 = 0;

/** The groups of an address of IPv6 while it is read, as they stand on the wire. */
@lazy const network = memory.data(16, 8);

/** An address of IPv4 or IPv6, as 128 bits; one of IPv4 counts as ::ffff:a.b.c.d. */
@final
export class IpAddress {
  constructor(readonly high: u64, readonly low: u64) {}

  /** An address without a port, as "10.0.0.1" or "2001:db8::1"; null if it is none. */
  static parse<T>(text: T): IpAddress | null {
    const from = textStart<T>(text);
    return parse(Bytes.view(from, textLength())) ? new IpAddress(high, low) : null;
  }

  /** As Envoy writes peers: "10.0.0.1:80", "[2001:db8::1]:80", or no port; null if it is none. */
  static ofPeer<T>(text: T): IpAddress | null {
    const from = textStart<T>(text);
    const peer = Bytes.view(from, textLength());
    const isV6 = peer.at(0) == 0x5b;
    const colon = peer.indexOfByte(0x3a);
    const isAlone = isV6 || peer.indexOfByte(0x3a, colon + 1) < 0;
    const end = isV6 ? peer.indexOfByte(0x5d) : isAlone && colon >= 0 ? colon : peer.length;
    if (end < 0 || !isPort(peer.slice(isV6 ? end + 1 : end))) return null;
    const address = peer.slice(isV6 ? 1 : 0, end);
    return isV6 && address.indexOfByte(0x3a) < 0 ? null : IpAddress.parse(address);
  }

  get isV4(): bool {
    return this.high == 0 && this.low >> 32 == MAPPED >> 32;
  }

  /** Bit 0 is the first one; of an IPv4 address the first is bit 96. */
  bit(position: i32): u32 {
    const word = position < 64 ? this.high : this.low;
    return <u32>(word >> (63 - (position & 63))) & 1;
  }

  equals(other: IpAddress): bool {
    return this.high == other.high && this.low == other.low;
  }
}

/** A range of addresses: "10.0.0.0/8", "2001:db8::/32", or one address. */
@final
export class Cidr {
  private constructor(
    readonly address: IpAddress,
    /** How many bits of 128 belong to the range; of "10.0.0.0/8" it is 104. */
    readonly bits: i32,
  ) {}

  /** Null if it is no range. Bits behind the range's own are as good as 0. */
  static parse<T>(text: T): Cidr | null {
    const from = textStart<T>(text);
    const range = Bytes.view(from, textLength());
    const slash = range.indexOfByte(0x2f);
    const address = IpAddress.parse(slash < 0 ? range : range.slice(0, slash));
    if (address == null) return null;
    if (slash < 0) return new Cidr(address, BITS);
    const isV4 = range.indexOfByte(0x3a) < 0;
    const bits = range.slice(slash + 1).toInteger(-1);
    if (bits < 0 || bits > (isV4 ? BITS - V4_PREFIX : BITS)) return null;
    return new Cidr(address, <i32>bits + (isV4 ? V4_PREFIX : 0));
  }

  contains(address: IpAddress): bool {
    const other = this.address;
    if (this.bits <= 64) return firstBits(address.high ^ other.high, this.bits) == 0;
    return address.high == other.high && firstBits(address.low ^ other.low, this.bits - 64) == 0;
  }
}

/** The first `bits` of a word; a shift by all 64 would be one by none. */
function firstBits(word: u64, bits: i32): u64 {
  return bits == 0 ? 0 : word >> (64 - bits);
}

/** Whether this is what may follow an address: nothing, or a colon and a port. */
function isPort(text: Bytes): bool {
  if (text.isEmpty) return true;
  const port = text.slice(1).toInteger(-1);
  return text.at(0) == 0x3a && port >= 0 && port <= PORT_MAX;
}

/** Reads an address into `high` and `low`. */
function parse(text: Bytes): bool {
  if (text.indexOfByte(0x3a) >= 0) return parseV6(text);
  const v4 = parseV4(text);
  high = 0;
  low = MAPPED | v4;
  return v4 >= 0;
}

/** Four numbers of at most 255 without zeros in front, or -1. */
function parseV4(text: Bytes): i64 {
  let address: i64 = 0;
  let at = 0;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.at(at++) != 0x2e) return -1;
    const start = at;
    let number = 0;
    while (<u32>text.at(at) - 0x30 < 10 && at - start < 3) {
      number = number * 10 + text.at(at++) - 0x30;
    }
    const length = at - start;
    if (length == 0 || number > 255 || (length > 1 && text.at(start) == 0x30)) return -1;
    address = (address << 8) | number;
  }
  return at == text.length ? address : -1;
}

/** Eight groups of four hexadecimal digits; `::` stands for as many zeros as are missing. */
function parseV6(text: Bytes): bool {
  let filled = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let group: u32 = 0;
    while (at < text.length && at - start < 4) {
      const digit = hexValue(<u8>text.at(at));
      if (digit < 0) break;
      group = (group << 4) | digit;
      at++;
    }
    const isV4 = text.at(at) == 0x2e;
    if (at == start || filled > (isV4 ? 12 : 14)) return false;
    if (isV4) {
      const v4 = parseV4(text.slice(start));
      store<u32>(network + filled, bswap<u32>(<u32>v4));
      filled += 4;
      if (v4 < 0) return false;
      break;
    }
    store<u16>(network + filled, bswap<u16>(<u16>group));
    filled += 2;
    if (at == text.length) break;
    if (text.at(at++) != 0x3a || at == text.length) return false;
    if (text.at(at) != 0x3a) continue;
    if (gap >= 0) return false;
    gap = filled;
    at++;
  }
  return finishV6(filled, gap);
}

/** Puts zeros where the gap is, and takes the words. */
function finishV6(filled: i32, gap: i32): bool {
  if (gap < 0 ? filled != 16 : filled > 14) return false;
  if (gap >= 0) {
    const tail = filled - gap;
    memory.copy(network + 16 - tail, network + gap, tail);
    memory.fill(network + gap, 0, 16 - filled);
  }
  high = bswap<u64>(load<u64>(network));
  low = bswap<u64>(load<u64>(network, 8));
  return true;
}
