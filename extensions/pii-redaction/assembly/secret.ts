import { HeapBuffer } from "./heap-buffer";
import { Replacer, Style } from "./replacer";

/** Of a value that is hashed, this much counts; it is all that has to be kept of it. */
const HASHED_BYTES_MAX: i32 = 1024;

const STAR: u8 = 0x2a;
const QUOTE: u8 = 0x22;

/**
 * A value of JSON that is covered, however long it is and wherever its pieces are cut. A string
 * keeps its quotes; a number or a truth becomes a string; null stays null.
 */
@final
export class Secret {
  isOpen: bool = false;
  /** Whether there was anything to cover: the empty string and null tell nothing. */
  wasCovered: bool = false;

  private readonly replacer: Replacer;
  private readonly kept: StaticArray<u8>;
  isString: bool = false;
  private isNull: bool = false;
  private isEscaped: bool = false;
  private length: u64 = 0;

  constructor(replacer: Replacer) {
    this.replacer = replacer;
    const isHashed = replacer.style == Style.Hash;
    this.kept = new StaticArray<u8>(isHashed ? HASHED_BYTES_MAX : 0);
  }

  open(isString: bool): void {
    this.isOpen = true;
    this.isString = isString;
    this.isNull = false;
    this.isEscaped = false;
    this.length = 0;
  }

  /** Covers what of `base` belongs to the value, and answers where that ends. */
  cover(to: HeapBuffer, base: usize, from: i32, length: i32): i32 {
    let at = from;
    if (this.isString) while (at < length && !this.endsString(load<u8>(base + at))) at++;
    else while (at < length && !endsScalar(load<u8>(base + at))) at++;
    this.put(to, base + from, at - from);
    if (at < length) this.close(to);
    return at;
  }

  /** The value is over. */
  close(to: HeapBuffer): void {
    this.isOpen = false;
    this.wasCovered = this.length > 0 && !this.isNull;
    if (!this.wasCovered) return;
    if (this.replacer.style == Style.Mask) {
      if (!this.isString) to.writeByte(this.length == 1 ? 0x30 : QUOTE);
      return;
    }
    const kept = min(this.length, <u64>HASHED_BYTES_MAX);
    this.replacer.write(to, changetype<usize>(this.kept), <i32>kept, !this.isString);
  }

  private put(to: HeapBuffer, from: usize, count: i32): void {
    if (count == 0) return;
    const before = this.length;
    this.length += count;
    if (!this.isString && before == 0) this.isNull = load<u8>(from) == 0x6e;
    if (this.isNull) to.write(from, count);
    else if (this.replacer.style == Style.Mask) this.mask(to, before, count);
    else if (this.replacer.style == Style.Hash && before < <u64>HASHED_BYTES_MAX) {
      const room = min(count, HASHED_BYTES_MAX - <i32>before);
      memory.copy(changetype<usize>(this.kept) + <usize>before, from, room);
    }
  }

  /** A scalar's first byte becomes a quote and its last one too: that one waits for the end. */
  private mask(to: HeapBuffer, before: u64, count: i32): void {
    let stars = count;
    if (!this.isString) {
      if (before == 0) stars--;
      if (before <= 1 && stars > 0) {
        to.writeByte(QUOTE);
        stars--;
      }
    }
    to.fill(STAR, stars);
  }

  private endsString(byte: u32): bool {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte == 0x5c) this.isEscaped = true;
    else return byte == QUOTE;
    return false;
  }
}

function endsScalar(byte: u32): bool {
  return byte == 0x2c || byte == 0x5d || byte == 0x7d || byte <= 0x20;
}
