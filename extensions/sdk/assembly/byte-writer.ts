import { Bytes } from "./bytes";
import { GrowingBuffer } from "./growing-buffer";
import { textLength, textStart } from "./text";

/** Room that a writer begins with: a header's value. */
const FIRST_BYTES: i32 = 64;

/**
 * Puts bytes together without a string in between:
 *
 *     new ByteWriter().text("limit=").integer(limit).text("; user=").text(user).finish();
 */
@final
export class ByteWriter extends GrowingBuffer {
  constructor(room: i32 = FIRST_BYTES) {
    super(room);
  }

  text<T>(text: T): ByteWriter {
    const from = textStart<T>(text);
    const length = textLength();
    memory.copy(this.reserve(length), from, length);
    return this;
  }

  byte(byte: u8): ByteWriter {
    store<u8>(this.reserve(1), byte);
    return this;
  }

  /** A number in decimal. */
  integer(value: i64): ByteWriter {
    if (value < 0) this.byte(0x2d);
    let rest: u64 = value < 0 ? 0 - <u64>value : value;
    let digits = 1;
    for (let more = rest / 10; more > 0; more /= 10) digits++;
    const end = this.reserve(digits) + digits;
    for (let i = 1; i <= digits; i++) {
      store<u8>(end - i, <u8>(0x30 + rest % 10));
      rest /= 10;
    }
    return this;
  }

  /** What is written so far, owned; later writes do not change it. */
  finish(): Bytes {
    return Bytes.owned(this.memory).slice(0, this.length);
  }
}
