import { Cidr, IpAddress, JsonReader, schema } from "@weft/sdk/assembly";

/**
 * Ranges in one list. Two full lists take about 45 of the 64 MiB that a module of the SDK's may
 * have, most of it while the configuration is read.
 */
const RANGES_MAX: i32 = 32_768;

/** Nodes to begin with; most lists are short. */
const NODES_MIN: i32 = 16;

/** The first bit of an IPv4 address, which stands as ::ffff:a.b.c.d. */
const V4_BIT: i32 = 96;

// A node: the bits all addresses below it begin with, how many these are, whether they are a
// range of the list, and the nodes below it, by the bit that comes next; 0 is none.
//
//     u64 high · u64 low · u32 below[2] · u8 length · u8 isRange

const NODE_BYTES: usize = 32;
const LOW: usize = 8;
const BELOW: usize = 16;
const LENGTH: usize = 24;
const IS_RANGE: usize = 25;

/** Where a search begins, for each family: a range of all IPv6 holds no address of IPv4. */
const V4_ROOT: u32 = 0;
const V6_ROOT: u32 = 1;

/**
 * Ranges of addresses as a binary trie: from the root, each bit of an address chooses the way, and
 * runs of bits where there is no choice are one step. A lookup takes at most as many steps as the
 * longest range has bits, however many ranges there are.
 */
@schema('{"type": "array", "maxItems": 32768, "items": {"type": "string"}}')
export class Ranges {
  /** How many different ranges there are. */
  size: i32 = 0;

  private nodes: ArrayBuffer = new ArrayBuffer(<i32>NODE_BYTES * NODES_MIN);
  private count: i32 = 2;

  constructor() {
    store<u64>(this.at(V4_ROOT), 0xffff_0000_0000, LOW);
    store<u8>(this.at(V4_ROOT), V4_BIT, LENGTH);
  }

  /** Reads `["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]`; the reader keeps what is wrong. */
  read(json: JsonReader): void {
    json.openArray();
    while (json.nextItem()) {
      const range = Cidr.parse(json.readString());
      if (json.problem.length > 0) return;
      if (this.size == RANGES_MAX) json.refuse("is one range too many");
      else if (range == null) json.refuse("is no address and no range like 10.0.0.0/8 or ::1/128");
      else if (hasBitsFrom(range)) json.refuse("is no range: bits behind its length are set");
      else this.add(range.address, range.bits);
    }
  }

  /** The length of the longest range that an address is in, of 128 bits; or -1. */
  longestMatch(address: IpAddress): i32 {
    let found = -1;
    let node = this.at(address.isV4 ? V4_ROOT : V6_ROOT);
    while (commonBits(node, address) >= load<u8>(node, LENGTH)) {
      const length = load<u8>(node, LENGTH);
      if (load<u8>(node, IS_RANGE) != 0) found = length;
      if (length == 128) break;
      const next = load<u32>(node + 4 * address.bit(length), BELOW);
      if (next == 0) break;
      node = this.at(next);
    }
    return found;
  }

  private add(address: IpAddress, length: i32): void {
    let node = address.isV4 && length >= V4_BIT ? V4_ROOT : V6_ROOT;
    while (true) {
      const from = load<u8>(this.at(node), LENGTH);
      if (from == length) return this.mark(node);
      const branch = 4 * address.bit(from);
      const next = load<u32>(this.at(node) + branch, BELOW);
      if (next == 0) {
        const leaf = this.create(address, length);
        store<u32>(this.at(node) + branch, leaf, BELOW);
        return this.mark(leaf);
      }
      const common = min<i32>(commonBits(this.at(next), address), length);
      if (common < load<u8>(this.at(next), LENGTH)) {
        const fork = this.create(address, common);
        store<u32>(this.at(fork) + 4 * bitAt(this.at(next), common), next, BELOW);
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
  private create(address: IpAddress, length: i32): u32 {
    const node = this.count++;
    const used = this.nodes.byteLength;
    if (this.count * <i32>NODE_BYTES > used) {
      const grown = new ArrayBuffer(2 * used);
      memory.copy(changetype<usize>(grown), changetype<usize>(this.nodes), used);
      this.nodes = grown;
    }
    const at = this.at(node);
    store<u64>(at, address.high & mask(length));
    store<u64>(at, address.low & mask(length - 64), LOW);
    store<u8>(at, <u8>length, LENGTH);
    return node;
  }

  @inline
  private at(node: u32): usize {
    return changetype<usize>(this.nodes) + node * NODE_BYTES;
  }
}

/** The first bits of a word: none below 1, all of them from 64 on. */
@inline
function mask(length: i32): u64 {
  return length <= 0 ? 0 : length >= 64 ? u64.MAX_VALUE : u64.MAX_VALUE << (64 - length);
}

/** How many bits an address and a node have in common, from the first on. */
@inline
function commonBits(node: usize, address: IpAddress): i32 {
  const high = load<u64>(node) ^ address.high;
  if (high != 0) return <i32>clz(high);
  return 64 + <i32>clz(load<u64>(node, LOW) ^ address.low);
}

/** The bit of a node's address at a position. */
function bitAt(node: usize, position: i32): u32 {
  const word = position < 64 ? load<u64>(node) : load<u64>(node, LOW);
  return <u32>(word >> (63 - (position & 63))) & 1;
}

/** Whether an address that should be the first of a range has bits behind the range's own. */
function hasBitsFrom(range: Cidr): bool {
  const address = range.address;
  return (address.high & ~mask(range.bits)) != 0 || (address.low & ~mask(range.bits - 64)) != 0;
}
