import { Bytes } from "./bytes";
import { textLength, textStart } from "./text";

/** Writes the few protobuf messages that Envoy's functions take. Defaults are left out. */
@final
export class ProtoWriter {
  private buffer: ArrayBuffer = new ArrayBuffer(128);
  private used: i32 = 0;

  /** A field of type string, bytes or message. */
  text<T>(field: u32, value: T): ProtoWriter {
    const from = textStart<T>(value);
    const length = textLength();
    if (length == 0) return this;
    this.varint((field << 3) | 2);
    this.varint(length);
    memory.copy(this.reserve(length), from, length);
    return this;
  }

  /** A field of type bool, enum or unsigned integer. */
  number(field: u32, value: u64): ProtoWriter {
    if (value == 0) return this;
    this.varint(field << 3);
    this.varint(value);
    return this;
  }

  finish(): Bytes {
    return Bytes.owned(this.buffer).slice(0, this.used);
  }

  private varint(value: u64): void {
    let rest = value;
    while (rest >= 0x80) {
      store<u8>(this.reserve(1), <u8>rest | 0x80);
      rest >>= 7;
    }
    store<u8>(this.reserve(1), <u8>rest);
  }

  private reserve(bytes: i32): usize {
    const end = this.used + bytes;
    if (end > this.buffer.byteLength) {
      const grown = new ArrayBuffer(max(end, 2 * this.buffer.byteLength));
      memory.copy(changetype<usize>(grown), changetype<usize>(this.buffer), this.used);
      this.buffer = grown;
    }
    const at = changetype<usize>(this.buffer) + this.used;
    this.used = end;
    return at;
  }
}
