/**
 * A run of bytes, read in place. Header values are bytes on the wire and stay bytes here: a
 * JavaScript string costs a copy and a conversion to UTF-16, and is made on request only.
 *
 * What the host hands over lives until the callback ends. `copy()` what has to outlive it.
 */
@final
export class Bytes {
  readonly start: usize;
  readonly length: i32;
  /** Keeps a run of our own alive; null for a view of what the host handed over. */
  private readonly owner: ArrayBuffer | null;

  private constructor(start: usize, length: i32, owner: ArrayBuffer | null) {
    this.start = start;
    this.length = length;
    this.owner = owner;
  }

  /** A view of memory that somebody else owns. */
  static view(start: usize, length: i32): Bytes {
    return new Bytes(start, length, null);
  }

  /** The UTF-8 of a string, owned. Make constants of those that a hot path needs. */
  static of(text: string): Bytes {
    return Bytes.owned(String.UTF8.encode(text));
  }

  /** The bytes of a buffer, which is kept. */
  static owned(buffer: ArrayBuffer): Bytes {
    return new Bytes(changetype<usize>(buffer), buffer.byteLength, buffer);
  }

  /** The byte at a position, or -1 outside. */
  at(position: i32): i32 {
    if (<u32>position >= <u32>this.length) return -1;
    return load<u8>(this.start + position);
  }

  equals<T>(other: T): bool {
    const that = bytesOf<T>(other);
    return this.length == that.length && memory.compare(this.start, that.start, that.length) == 0;
  }

  /** Equality of header names, which know no case in ASCII. */
  equalsIgnoringCase(that: Bytes): bool {
    if (this.length != that.length) return false;
    for (let i = 0; i < this.length; i++) {
      const mine = load<u8>(this.start + i);
      const other = load<u8>(that.start + i);
      if (lowerCased(mine) != lowerCased(other)) return false;
    }
    return true;
  }

  startsWith<T>(prefix: T): bool {
    const that = bytesOf<T>(prefix);
    return this.length >= that.length && memory.compare(this.start, that.start, that.length) == 0;
  }

  /** Where a run of bytes first stands at or after `from`, or -1. */
  indexOf<T>(wanted: T, from: i32 = 0): i32 {
    const that = bytesOf<T>(wanted);
    for (let i = max(from, 0); i <= this.length - that.length; i++) {
      if (memory.compare(this.start + i, that.start, that.length) == 0) return i;
    }
    return -1;
  }

  /** The bytes from `from` up to, not including, `to`; both are brought inside first. */
  slice(from: i32, to: i32 = i32.MAX_VALUE): Bytes {
    const first = min(max(from, 0), this.length);
    const last = max(min(to, this.length), first);
    return new Bytes(this.start + first, last - first, this.owner);
  }

  /** The same bytes, owned, for keeping beyond the callback. */
  copy(): Bytes {
    const buffer = new ArrayBuffer(this.length);
    memory.copy(changetype<usize>(buffer), this.start, this.length);
    return Bytes.owned(buffer);
  }

  /** The text these bytes encode in UTF-8. Allocates. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.start, this.length);
  }
}

/** Lets an API take bytes or a string: `Bytes` pass as they are, a string is encoded. */
@inline
export function bytesOf<T>(value: T): Bytes {
  if (isString<T>()) return Bytes.of(changetype<string>(value));
  if (idof<T>() != idof<Bytes>()) ERROR("expected Bytes or a string");
  return changetype<Bytes>(value);
}

@inline
function lowerCased(byte: u8): u8 {
  return byte - 65 < 26 ? byte + 32 : byte;
}
