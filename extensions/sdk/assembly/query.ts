// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { allocate } from "./arena";
import { Bytes } from "./bytes";
import { hexValue } from "./encoding";

/**
 * The parameters of a path's query, in order, as forms write them (WHATWG URL §5.1): `%2B` is a
 * plus and `+` a space. As `Split`, it is gone when the callback ends.
 */
@final @unmanaged
export class Query {
  private path: Bytes;
  /** Where the current parameter begins, where its `=` stands or it ends, and where it ends. */
  private from: i32;
  private equals: i32;
  private to: i32;

  /** Reads a path, of which what lies behind its `?` is the query. */
  static of(path: Bytes): Query {
    const query = changetype<Query>(allocate(offsetof<Query>()));
    query.path = path;
    const mark = path.indexOfByte(0x3f);
    query.to = mark < 0 ? path.length : mark;
    return query;
  }

  /** Steps to the next parameter; false at the end. */
  next(): bool {
    const path = this.path;
    while (this.to < path.length) {
      this.from = this.to + 1;
      const ampersand = path.indexOfByte(0x26, this.from);
      this.to = ampersand < 0 ? path.length : ampersand;
      const equals = path.indexOfByte(0x3d, this.from);
      this.equals = equals >= 0 && equals < this.to ? equals : this.to;
      if (this.to > this.from) return true;
    }
    return false;
  }

  get name(): Bytes {
    return decoded(this.path.slice(this.from, this.equals));
  }

  get value(): Bytes {
    return decoded(this.path.slice(this.equals + 1, this.to));
  }
}

/** The first value of a parameter in a path's query, or null. */
export function queryParameter<T>(path: Bytes, name: T): Bytes | null {
  const query = Query.of(path);
  while (query.next()) if (query.name.equals<T>(name)) return query.value;
  return null;
}

/** A path without its query and fragment. */
export function withoutQuery(path: Bytes): Bytes {
  for (let i = 0; i < path.length; i++) {
    const byte = path.at(i);
    if (byte == 0x3f || byte == 0x23) return path.slice(0, i);
  }
  return path;
}

/** What `%41` and `+` stand for; the same bytes where neither is in them. */
function decoded(text: Bytes): Bytes {
  if (text.indexOfByte(0x25) < 0 && text.indexOfByte(0x2b) < 0) return text;
  const to = allocate(text.length);
  if (to == 0) return Bytes.view(0, 0);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = text.at(i);
    if (byte == 0x2b) byte = 0x20;
    const high = byte == 0x25 ? digitAt(text, i + 1) : -1;
    const low = high >= 0 ? digitAt(text, i + 2) : -1;
    if (low >= 0) {
      byte = (high << 4) | low;
      i += 2;
    }
    store<u8>(to + length++, <u8>byte);
  }
  return Bytes.view(to, length);
}

function digitAt(text: Bytes, position: i32): i32 {
  return position < text.length ? hexValue(<u8>text.at(position)) : -1;
}
