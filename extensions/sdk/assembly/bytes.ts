// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { areEqual } from "./equality";
import { room } from "./room";
import { Split } from "./split";
import { isLiteral, textLength, textStart } from "./text";
import { decodeText } from "./utf8";

/** Views kept for reuse; a callback that makes more than these leaves the rest to the collector. */
const VIEWS_MAX: i32 = 128;

/** The views kept, linked, and the first of them that nobody uses in this callback. */
let views: Bytes | null = null;
let freeViews: Bytes | null = null;
let viewsKept: i32 = 0;

/** Views left to the collector since it last came. */
let viewsLeft: i32 = 0;

/**
 * A run of bytes, read in place. Header values are bytes on the wire and stay bytes here: a
 * JavaScript string costs a copy and a conversion to UTF-16, and is made on request only.
 *
 * What the host hands over lives until the callback ends, and so does every view of it: the next
 * callback reuses both. `copy()` what has to outlive it.
 */
@final
export class Bytes {
  private from: usize;
  private size: i32;
  /** Keeps a run of our own alive; null for a view of what somebody else owns. */
  private readonly owner: ArrayBuffer | null;
  /** Whether this view dies with the callback. */
  private readonly isView: bool;
  /** Of the views that are kept, the one made before this one. */
  private older: Bytes | null = null;

  private constructor(start: usize, length: i32, owner: ArrayBuffer | null, isView: bool) {
    this.from = start;
    this.size = length;
    this.owner = owner;
    this.isView = isView;
  }

  /** A view, valid until the callback ends, of memory that somebody else owns. */
  static view(start: usize, length: i32): Bytes {
    const reused = freeViews;
    if (reused != null) {
      freeViews = reused.older;
      reused.from = start;
      reused.size = length;
      return reused;
    }
    const made = new Bytes(start, length, null, true);
    if (viewsKept < VIEWS_MAX) {
      viewsKept++;
      made.older = views;
      views = made;
    } else viewsLeft++;
    return made;
  }

  /** The UTF-8 of a string, for keeping; of a literal it is there already. */
  static of(text: string): Bytes {
    const start = textStart<string>(text);
    if (isLiteral(text)) return new Bytes(start, textLength(), null, false);
    return Bytes.view(start, textLength()).copy();
  }

  /** The bytes of a buffer, which is kept. */
  static owned(buffer: ArrayBuffer): Bytes {
    return new Bytes(changetype<usize>(buffer), buffer.byteLength, buffer, false);
  }

  @inline
  get start(): usize {
    return this.from;
  }

  @inline
  get length(): i32 {
    return this.size;
  }

  get isEmpty(): bool {
    return this.size == 0;
  }

  /** The byte at a position, or -1 outside. */
  at(position: i32): i32 {
    if (<u32>position >= <u32>this.size) return -1;
    return load<u8>(this.from + position);
  }

  equals<T>(other: T): bool {
    const that = textStart<T>(other);
    return this.size == textLength() && areEqual(this.from, that, this.size);
  }

  /** Equality of header names, which know no case in ASCII. */
  equalsIgnoringCase<T>(other: T): bool {
    const that = textStart<T>(other);
    return this.size == textLength() && areEqualButForCase(this.from, that, this.size);
  }

  /**
   * Equality in a time that tells nothing of where the first difference is: for secrets. It does
   * tell whether the lengths are equal.
   */
  equalsInConstantTime<T>(other: T): bool {
    const that = textStart<T>(other);
    if (this.size != textLength()) return false;
    let difference: u32 = 0;
    for (let i = 0; i < this.size; i++) {
      difference |= load<u8>(this.from + i) ^ load<u8>(that + i);
    }
    return difference == 0;
  }

  startsWith<T>(prefix: T): bool {
    const that = textStart<T>(prefix);
    const length = textLength();
    return this.size >= length && areEqual(this.from, that, length);
  }

  endsWith<T>(suffix: T): bool {
    const that = textStart<T>(suffix);
    const length = textLength();
    if (this.size < length) return false;
    return areEqual(this.from + this.size - length, that, length);
  }

  /** Where a run of bytes first stands at or after `from`, or -1. */
  indexOf<T>(wanted: T, from: i32 = 0): i32 {
    const that = textStart<T>(wanted);
    const length = textLength();
    for (let i = max(from, 0); i <= this.size - length; i++) {
      if (areEqual(this.from + i, that, length)) return i;
    }
    return -1;
  }

  /** The parts between separators, to step through. */
  split<T>(separator: T): Split {
    const that = textStart<T>(separator);
    return Split.of(this, Bytes.view(that, textLength()));
  }

  contains<T>(wanted: T): bool {
    return this.indexOf<T>(wanted) >= 0;
  }

  /** Where a byte first stands at or after `from`, or -1. */
  indexOfByte(byte: u8, from: i32 = 0): i32 {
    for (let i = max(from, 0); i < this.size; i++) {
      if (load<u8>(this.from + i) == byte) return i;
    }
    return -1;
  }

  /** The bytes from `from` up to, not including, `to`; both are brought inside first. */
  slice(from: i32, to: i32 = i32.MAX_VALUE): Bytes {
    const first = min(max(from, 0), this.size);
    const last = max(min(to, this.size), first);
    if (this.isView) return Bytes.view(this.from + first, last - first);
    return new Bytes(this.from + first, last - first, this.owner, false);
  }

  /** Without the spaces and tabs at both ends. */
  trim(): Bytes {
    let first = 0;
    let last = this.size;
    while (first < last && isBlank(load<u8>(this.from + first))) first++;
    while (first < last && isBlank(load<u8>(this.from + last - 1))) last--;
    return this.slice(first, last);
  }

  /** The same with the capitals of ASCII made small; of the callback, as any view. */
  toLowerCase(): Bytes {
    const lower = room(this.size);
    for (let i = 0; i < this.size; i++) {
      store<u8>(lower.start + i, lowerCased(load<u8>(this.from + i)));
    }
    return lower;
  }

  /** The decimal number that these bytes are, all of them, or `otherwise`. */
  toInteger(otherwise: i64 = 0): i64 {
    const isNegative = this.at(0) == 0x2d;
    const first = isNegative ? 1 : 0;
    const digits = this.size - first;
    if (digits < 1 || digits > 18) return otherwise;
    let value: i64 = 0;
    for (let i = first; i < this.size; i++) {
      const digit = <u32>this.at(i) - 0x30;
      if (digit > 9) return otherwise;
      value = value * 10 + digit;
    }
    return isNegative ? -value : value;
  }

  /** The same bytes, owned, for keeping beyond the callback. */
  copy(): Bytes {
    const buffer = new ArrayBuffer(this.size);
    memory.copy(changetype<usize>(buffer), this.from, this.size);
    return Bytes.owned(buffer);
  }

  /** The text these bytes encode in UTF-8. Allocates. */
  toString(): string {
    return decodeText(this.from, this.size);
  }
}

/** How many views were left to the collector since this was last asked. */
export function takeViewsLeft(): i32 {
  const left = viewsLeft;
  viewsLeft = 0;
  return left;
}

/** Makes all views free for reuse. */
export function releaseViews(): void {
  freeViews = views;
}

/** Whether two runs of bytes are equal but for the case of ASCII. */
export function areEqualButForCase(first: usize, second: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(first + i);
    const difference = byte ^ load<u8>(second + i);
    if (difference == 0) continue;
    // The case of a letter is one bit.
    if (difference != 0x20 || (byte | 0x20) - 0x61 > 25) return false;
  }
  return true;
}

@inline
function lowerCased(byte: u8): u8 {
  return byte - 65 < 26 ? byte + 32 : byte;
}

@inline
function isBlank(byte: u8): bool {
  return byte == 0x20 || byte == 0x09;
}
