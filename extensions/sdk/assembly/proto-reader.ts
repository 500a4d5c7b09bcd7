import { Bytes } from "./bytes";

/** How a field is written; groups, which nobody uses, end a message as damage does. */
enum Wire { Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5 }

/** Bytes of the longest varint. */
const VARINT_BYTES_MAX: i32 = 10;

/**
 * Reads a protobuf message field by field, in the order in which they stand there. It never traps:
 * a damaged message ends early, and says so.
 *
 *     const message = new ProtoReader(bytes);
 *     while (message.next()) if (message.field == 1) name = message.text;
 */
@final
export class ProtoReader {
  /** The number of the field that `next` has stepped to. */
  field: u32 = 0;
  /** Whether the message ended early because it is damaged. */
  isDamaged: bool = false;

  private readonly bytes: Bytes;
  private position: i32 = 0;
  private value: u64 = 0;
  /** Where the field's bytes begin, if it has a length; that is then its value. */
  private from: i32 = -1;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }

  /** Steps to the next field; false at the end. */
  next(): bool {
    if (this.isDamaged || this.position >= this.bytes.length) return false;
    const tag = this.varint();
    this.field = <u32>(tag >> 3);
    this.from = -1;
    switch (<i32>(tag & 7)) {
      case Wire.Varint: {
        this.value = this.varint();
        break;
      }
      case Wire.Fixed64: {
        if (this.take(8)) this.value = load<u64>(this.bytes.start + this.position - 8);
        break;
      }
      case Wire.Length: {
        this.value = this.varint();
        this.from = this.position;
        this.take(this.value);
        break;
      }
      case Wire.Fixed32: {
        if (this.take(4)) this.value = load<u32>(this.bytes.start + this.position - 4);
        break;
      }
      default: {
        this.isDamaged = true;
      }
    }
    if (tag >> 3 == 0 || tag > u32.MAX_VALUE) this.isDamaged = true;
    return !this.isDamaged;
  }

  /** A field of type string, bytes or message; empty if it is of another type. */
  get text(): Bytes {
    return this.from < 0 ? Bytes.view(0, 0) : this.bytes.slice(this.from, this.position);
  }

  /** A field that is a message itself. */
  get message(): ProtoReader {
    return new ProtoReader(this.text);
  }

  /** A field of type int, uint, fixed, bool or enum; 0 if it is of another type. */
  get number(): u64 {
    return this.from < 0 ? this.value : 0;
  }

  /** A field of type sint32 or sint64. */
  get zigzag(): i64 {
    return <i64>(this.number >> 1) ^ -<i64>(this.number & 1);
  }

  /** A field of type double. */
  get double(): f64 {
    return reinterpret<f64>(this.number);
  }

  /** A field of type float. */
  get float(): f32 {
    return reinterpret<f32>(<u32>this.number);
  }

  private take(length: u64): bool {
    const isThere = length <= <u64>(this.bytes.length - this.position);
    if (isThere) this.position += <i32>length;
    else this.isDamaged = true;
    return isThere;
  }

  private varint(): u64 {
    let value: u64 = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.bytes.at(this.position++);
      if (byte < 0) break;
      value |= <u64>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    this.isDamaged = true;
    return 0;
  }
}
