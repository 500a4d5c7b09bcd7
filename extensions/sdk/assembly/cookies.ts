import { allocate } from "./arena";
import { Bytes } from "./bytes";
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
    const header = this.header;
    while (this.to < header.length) {
      let from = this.to + 1;
      while (header.at(from) == 0x20) from++;
      const semicolon = header.indexOfByte(0x3b, from);
      const end = semicolon < 0 ? header.length : semicolon;
      const equals = header.indexOfByte(0x3d, from);
      this.from = from;
      this.equals = equals;
      this.to = end;
      if (equals > from && equals < end) return true;
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
      && memory.compare(this.header.start + this.from, wanted, length) == 0;
  }

  /** Its value; quotes around it are no part of it. */
  get value(): Bytes {
    const value = this.header.slice(this.equals + 1, this.to).trim();
    const last = value.length - 1;
    const isQuoted = last > 0 && value.at(0) == 0x22 && value.at(last) == 0x22;
    return isQuoted ? value.slice(1, last) : value;
  }
}
