// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { allocate } from "./arena";
import { Bytes } from "./bytes";

/**
 * The parts of some bytes between separators. It lies in the memory of the callback: making one
 * costs next to nothing, and it is gone when the callback ends.
 *
 *     const roles = header.split(",");
 *     while (roles.next()) if (roles.part.trim().equals("admin")) return true;
 */
@final @unmanaged
export class Split {
  private bytes: Bytes;
  private separator: Bytes;
  /** The bounds of the current part. */
  private from: i32;
  private to: i32;
  /** Where the next part begins; -1 if there is none. */
  private rest: i32;

  /** Use `Bytes.split`. */
  static of(bytes: Bytes, separator: Bytes): Split {
    const split = changetype<Split>(allocate(offsetof<Split>()));
    split.bytes = bytes;
    split.separator = separator;
    split.rest = 0;
    return split;
  }

  /** Steps to the next part; false at the end. Where nothing separates, all is one part. */
  next(): bool {
    if (this.rest < 0) return false;
    this.from = this.rest;
    const found = this.separator.isEmpty ? -1 : this.bytes.indexOf(this.separator, this.from);
    this.to = found < 0 ? this.bytes.length : found;
    this.rest = found < 0 ? -1 : found + this.separator.length;
    return true;
  }

  /** The current part, which may be empty. */
  get part(): Bytes {
    return this.bytes.slice(this.from, this.to);
  }
}
