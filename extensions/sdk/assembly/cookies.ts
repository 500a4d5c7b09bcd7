// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { allocate } from "./arena";
import { Bytes } from "./bytes";
import { areEqual } from "./equality";
import { textLength, textStart } from "./text";

/**
 * The cookies of one `cookie` header (RFC 6265 §4.2.1), in order. As `Split`, it is gone when the
 * callback ends.
 */
@final @unmanaged
export class Cookies {
  private header: Bytes;
  /** Where the current cookie begins, where its `=` stands, and where it ends. */
  private from: i32;
  private equals: i32;
  private to: i32;

  /** Reads a header. Those of a request are at hand as `headers.cookies()`. */
  static of(header: Bytes): Cookies {
    const cookies = changetype<Cookies>(allocate(offsetof<Cookies>()));
    cookies.header = header;
    cookies.to = -1;
    return cookies;
  }

  /** Steps to the next cookie; false at the end. What has no name is no cookie. */
  next(): bool {
    const start = this.header.start;
    const end = this.header.length;
    while (this.to < end) {
      let at = this.to + 1;
      while (at < end && load<u8>(start + at) == 0x20) at++;
      this.from = at;
      this.equals = -1;
      for (; at < end; at++) {
        const byte = load<u8>(start + at);
        if (byte == 0x3b) break;
        if (byte == 0x3d && this.equals < 0) this.equals = at;
      }
      this.to = at;
      if (this.equals > this.from) return true;
    }
    return false;
  }

  get name(): Bytes {
    return this.header.slice(this.from, this.equals);
  }

  /** Whether the current cookie has this name; cheaper than to compare `name`. */
  isNamed<T>(name: T): bool {
    const wanted = textStart<T>(name);
    const length = textLength();
    return length == this.equals - this.from
      && areEqual(this.header.start + this.from, wanted, length);
  }

  /** Its value; quotes around it are no part of it. */
  get value(): Bytes {
    const value = this.header.slice(this.equals + 1, this.to).trim();
    const last = value.length - 1;
    const isQuoted = last > 0 && value.at(0) == 0x22 && value.at(last) == 0x22;
    return isQuoted ? value.slice(1, last) : value;
  }
}

/** The value of a cookie in a `cookie` header, the first of its name, or null. */
export function cookieIn<T>(header: Bytes, name: T): Bytes | null {
  const cookies = Cookies.of(header);
  while (cookies.next()) if (cookies.isNamed<T>(name)) return cookies.value;
  return null;
}
