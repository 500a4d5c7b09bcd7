import { allocate } from "./arena";
import { areEqualButForCase, Bytes } from "./bytes";
import { textLength, textStart } from "./text";

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

  /** Goes back before the first pair, to step through them again. */
  rewind(): void {
    this.index = -1;
    this.at = 4 + this.count * 8;
  }

  /** The first value of a name, which knows no case; or null. Where the steps are is no matter. */
  get<T>(name: T): Bytes | null {
    const at = this.indexOf<T>(name, 0);
    return at < 0 ? null : this.valueAt(at);
  }

  /** All values of a name as one, in their order with commas between (RFC 9110 §5.3), or null. */
  getJoined<T>(name: T): Bytes | null {
    let at = this.indexOf<T>(name, 0);
    if (at < 0) return null;
    let joined = this.valueAt(at);
    for (at = this.indexOf<T>(name, at + 1); at >= 0; at = this.indexOf<T>(name, at + 1)) {
      joined = withComma(joined, this.valueAt(at));
    }
    return joined;
  }

  /** The place of the first pair of a name at or after `from`, or -1. */
  indexOf<T>(name: T, from: i32): i32 {
    const wanted = textStart<T>(name);
    const length = <u32>textLength();
    let at = this.bytes.start + 4 + this.count * 8;
    const end = this.bytes.start + this.bytes.length;
    for (let i: u32 = 0; i < this.count; i++) {
      const lengths = this.bytes.start + 4 + i * 8;
      const nameLength = load<u32>(lengths);
      const next = <u64>at + nameLength + load<u32>(lengths, 4) + 2;
      if (next > <u64>end) return -1;
      const canBe = <i32>i >= from && nameLength == length;
      if (canBe && areEqualButForCase(at, wanted, length)) return i;
      at = <usize>next;
    }
    return -1;
  }

  /** The value at a place that `indexOf` has answered. */
  valueAt(place: i32): Bytes {
    let at = this.bytes.start + 4 + this.count * 8;
    let lengths = this.bytes.start + 4;
    for (let i = 0; i < place; i++) {
      at += load<u32>(lengths) + load<u32>(lengths, 4) + 2;
      lengths += 8;
    }
    return Bytes.view(at + load<u32>(lengths) + 1, load<u32>(lengths, 4));
  }

  get name(): Bytes {
    return this.bytes.slice(this.at, this.at + this.nameLength);
  }

  get value(): Bytes {
    const start = this.at + this.nameLength + 1;
    return this.bytes.slice(start, start + this.valueLength);
  }
}

/** Two values as one; nothing where memory is short, since a part of them would mislead. */
function withComma(first: Bytes, second: Bytes): Bytes {
  const length = first.length + 1 + second.length;
  const at = allocate(length);
  if (at == 0) return Bytes.view(0, 0);
  memory.copy(at, first.start, first.length);
  store<u8>(at + first.length, 0x2c);
  memory.copy(at + first.length + 1, second.start, second.length);
  return Bytes.view(at, length);
}
