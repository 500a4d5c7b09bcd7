import { Bytes } from "./bytes";

/**
 * A whole header map as the host serializes it (ABI, "Serialized maps"): a count, the lengths of
 * each name and value, then the names and values, each followed by a zero byte.
 *
 *     u32 count · count × (u32 nameLength, u32 valueLength) · count × (name 0 value 0)
 *
 * Lengths are checked against the buffer: a map that does not add up ends early instead of
 * reading what lies behind it.
 */
@final
export class Pairs {
  private index: i32 = -1;
  private at: u32;
  private nameLength: u32 = 0;
  private valueLength: u32 = 0;
  private readonly count: u32;
  private readonly bytes: Bytes;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
    const room = <u32>bytes.length;
    const count = room >= 4 ? load<u32>(bytes.start) : 0;
    this.count = count <= room / 8 ? count : 0;
    this.at = 4 + this.count * 8;
  }

  /** Steps to the next pair; false at the end. */
  next(): bool {
    if (this.index >= 0) this.at += this.nameLength + this.valueLength + 2;
    if (<u32>++this.index >= this.count) return false;
    const lengths = this.bytes.start + 4 + this.index * 8;
    this.nameLength = load<u32>(lengths);
    this.valueLength = load<u32>(lengths, 4);
    const end = <u64>this.at + this.nameLength + this.valueLength + 2;
    return end <= <u64>this.bytes.length;
  }

  get name(): Bytes {
    return this.bytes.slice(this.at, this.at + this.nameLength);
  }

  get value(): Bytes {
    const start = this.at + this.nameLength + 1;
    return this.bytes.slice(start, start + this.valueLength);
  }
}
