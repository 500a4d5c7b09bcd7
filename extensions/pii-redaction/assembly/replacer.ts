import { Bytes, hmacSha256, toHex } from "@weft/sdk/assembly";
import { HeapBuffer } from "./heap-buffer";

export enum Style { Mask, Text, Hash }

const STAR: u8 = 0x2a;
const QUOTE: u8 = 0x22;

/** Hexadecimal digits of a hash: 64 bits, so that equal ones mean equal values in any log. */
const HASH_DIGITS: i32 = 16;

/** Puts something harmless in the place of what was found. */
@final
export class Replacer {
  constructor(
    readonly style: Style,
    private readonly keepLast: i32,
    private readonly text: Bytes,
    private readonly key: Bytes,
  ) {}

  get keepsLength(): bool {
    return this.style == Style.Mask;
  }

  /**
   * Writes what replaces these bytes. Bare ones stand in JSON outside a string: what replaces them
   * is a string of its own, so that the whole stays JSON.
   */
  write(to: HeapBuffer, from: usize, length: i32, isBare: bool): void {
    if (this.style == Style.Mask) {
      this.mask(to, from, length, isBare);
      return;
    }
    if (isBare) to.writeByte(QUOTE);
    const value = this.style == Style.Text ? this.text : this.hash(from, length);
    to.write(value.start, value.length);
    if (isBare) to.writeByte(QUOTE);
  }

  private mask(to: HeapBuffer, from: usize, length: i32, isBare: bool): void {
    let kept = min(this.keepLast, length / 2);
    // The rest of a character is none.
    while (kept > 0 && (load<u8>(from + length - kept) & 0xc0) == 0x80) kept--;
    if (isBare) to.writeByte(QUOTE);
    to.fill(STAR, length - kept - (isBare ? 2 : 0));
    to.write(from + length - kept, kept);
    if (isBare) to.writeByte(QUOTE);
  }

  private hash(from: usize, length: i32): Bytes {
    return toHex(hmacSha256(this.key, Bytes.view(from, length))).slice(0, HASH_DIGITS);
  }
}
