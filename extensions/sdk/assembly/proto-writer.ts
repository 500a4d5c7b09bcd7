import { Bytes } from "./bytes";
import { GrowingBuffer } from "./growing-buffer";
import { textLength, textStart } from "./text";

/** Room that a message begins with; most are smaller. */
const FIRST_BYTES: i32 = 128;

/** Writes protobuf messages: for gRPC, and for Envoy's own functions. Defaults are left out. */
@final
export class ProtoWriter extends GrowingBuffer {
  constructor() {
    super(FIRST_BYTES);
  }

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
    return Bytes.owned(this.memory).slice(0, this.length);
  }

  private varint(value: u64): void {
    let rest = value;
    while (rest >= 0x80) {
      store<u8>(this.reserve(1), <u8>rest | 0x80);
      rest >>= 7;
    }
    store<u8>(this.reserve(1), <u8>rest);
  }
}
