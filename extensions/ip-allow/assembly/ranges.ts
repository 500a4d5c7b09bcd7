import { Bytes, JsonReader, schema } from "@weft/sdk/assembly";
import { Address, bitOf } from "./address";

/** Ranges in one list: with two nodes each, 4 MiB in each of Envoy's VMs. */
const RANGES_MAX: i32 = 65_536;

/** Nodes to begin with; most lists are short. */
const NODES_MIN: i32 = 16;

// A node: the bits all addresses below it begin with, how many these are, whether they are a
// range of the list, and the nodes below it, by the bit that comes next; 0 is none.
//
//     u64 high · u64 low · u32 below[2] · u8 length · u8 isRange

const NODE_BYTES: usize = 32;
const LOW: usize = 8;
const BELOW: usize = 16;
const LENGTH: usize = 24;
const IS_RANGE: usize = 25;

/** The nodes of all addresses of a family, which are always there. */
const V4_ROOT: u32 = 0;
const V6_ROOT: u32 = 1;

/**
 * Ranges of addresses as a binary trie: from the root, each bit of an address chooses the way, and
 * runs of bits where there is no choice are one step. A lookup takes at most as many steps as the
 * longest range has bits, however many ranges there are.
 */
@schema('{"type": "array", "maxItems": 65536, "items": {"type": "string"}}')
export class Ranges {
  /** How many different ranges there are. */
  size: i32 = 0;

  private nodes: ArrayBuffer = new ArrayBuffer(<i32>NODE_BYTES * NODES_MIN);
  private count: i32 = 2;

  /** Reads `["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]`; the reader keeps what is wrong. */
  read(json: JsonReader): void {
    const address = new Address();
    json.openArray();
    while (json.nextItem()) {
      const text = json.readString();
      if (json.problem.length > 0) return;
      if (this.size == RANGES_MAX) json.refuse("is one range too many");
      else this.readRange(json, text, address);
    }
  }

  private readRange(json: JsonReader, text: Bytes, address: Address): void {
    const slash = text.indexOfByte(0x2f);
    const isRead = address.readBetween(text, 0, slash < 0 ? text.length : slash);
    const bits = address.isWrittenAsV6 ? 128 : 32;
    const length = slash < 0 ? bits : numberFrom(text, slash + 1);
    if (!isRead || length < 0 || length > bits) {
      json.refuse("is no address and no range like 10.0.0.0/8 or 2001:db8::/32");
      return;
    }
    // Of an IPv4 address that is written as IPv6, the first 96 bits say only that it is one.
    const isMapped = address.isWrittenAsV6 && !address.isV6;
    const own = isMapped ? length - 96 : length;
    if (own < 0 || hasBitsFrom(address, own)) {
      json.refuse("is no range: bits behind its first " + length.toString() + " are set");
      return;
    }
    this.add(address, <u8>own);
  }

  /** The length of the longest range that an address is in, or -1. */
  longestMatch(address: Address): i32 {
    const nodes = changetype<usize>(this.nodes);
    let found = -1;
    let node = nodes + (address.isV6 ? V6_ROOT : V4_ROOT) * NODE_BYTES;
    while (true) {
      const length = load<u8>(node, LENGTH);
      if (commonBits(node, address) < length) break;
      if (load<u8>(node, IS_RANGE) != 0) found = length;
      if (length == 128) break;
      const next = load<u32>(node + 4 * address.bit(length), BELOW);
      if (next == 0) break;
      node = nodes + next * NODE_BYTES;
    }
    return found;
  }

  private add(address: Address, length: u8): void {
    let node = address.isV6 ? V6_ROOT : V4_ROOT;
    while (true) {
      const at = this.at(node);
      if (load<u8>(at, LENGTH) == length) return this.mark(node);
      const branch = 4 * address.bit(load<u8>(at, LENGTH));
      const next = load<u32>(at + branch, BELOW);
      if (next == 0) {
        const leaf = this.create(address, length);
        store<u32>(this.at(node) + branch, leaf, BELOW);
        return this.mark(leaf);
      }
      const common = <u8>min<u32>(commonBits(this.at(next), address), length);
      if (common < load<u8>(this.at(next), LENGTH)) {
        const fork = this.create(address, common);
        const below = this.at(next);
        const side = 4 * bitOf(load<u64>(below), load<u64>(below, LOW), common);
        store<u32>(this.at(fork) + side, next, BELOW);
        store<u32>(this.at(node) + branch, fork, BELOW);
        node = fork;
      } else {
        node = next;
      }
    }
  }

  private mark(node: u32): void {
    const at = this.at(node);
    if (load<u8>(at, IS_RANGE) == 0) this.size++;
    store<u8>(at, 1, IS_RANGE);
  }

  /** Makes a node of the first bits of an address. */
  private create(address: Address, length: u8): u32 {
    const node = this.count++;
    if (this.count * <i32>NODE_BYTES > this.nodes.byteLength) {
      const grown = new ArrayBuffer(2 * this.nodes.byteLength);
      const used = this.nodes.byteLength;
      memory.copy(changetype<usize>(grown), changetype<usize>(this.nodes), used);
      this.nodes = grown;
    }
    const at = this.at(node);
    store<u64>(at, address.high & mask(length));
    store<u64>(at, length > 64 ? address.low & mask(length - 64) : 0, LOW);
    store<u8>(at, length, LENGTH);
    return node;
  }

  @inline
  private at(node: u32): usize {
    return changetype<usize>(this.nodes) + node * NODE_BYTES;
  }
}

/** The decimal number from `from` to the end, of three digits at most, or -1. */
function numberFrom(text: Bytes, from: i32): i32 {
  if (from == text.length || text.length - from > 3) return -1;
  let number = 0;
  for (let at = from; at < text.length; at++) {
    const digit = <u32>text.at(at) - 0x30;
    if (digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The first bits of a word; all of them if there are no more. */
@inline
function mask(length: u32): u64 {
  return length == 0 ? 0 : length >= 64 ? u64.MAX_VALUE : u64.MAX_VALUE << (64 - length);
}

/** How many bits an address and a node have in common, from the first on. */
@inline
function commonBits(node: usize, address: Address): u32 {
  const high = load<u64>(node) ^ address.high;
  if (high != 0) return <u32>clz(high);
  return 64 + <u32>clz(load<u64>(node, LOW) ^ address.low);
}

/** Whether an address has bits behind its first ones. */
function hasBitsFrom(address: Address, length: i32): bool {
  const low = length > 64 ? mask(length - 64) : 0;
  return (address.high & ~mask(length)) != 0 || (address.low & ~low) != 0;
}
