import {
  Bytes, ByteWriter, cookieIn, getInteger, getProperty, isHeaderName, isHeaderValue, Pairs,
  queryParameter,
} from "@weft/sdk/assembly";
import { propertyPath } from "./property-path";

/** Where a part of a value comes from. */
export enum Source { Literal, Header, Request, Cookie, Query, Property, Integer }

/** A part of a value: a text as it is, or something of the message. */
@final
export class Part {
  /** Where a response finds what was kept of the request; -1 if nothing has to be. */
  slot: i32 = -1;
  /** What stands for it where it is missing; null if nothing does. */
  otherwise: Bytes | null = null;

  constructor(
    readonly source: Source,
    /** The text, or the name or path of what to take. */
    readonly name: Bytes,
  ) {}

  /** The part that stands between `%{` and `}`, or null if it is none. */
  static parse(text: Bytes): Part | null {
    const colon = text.indexOfByte(0x3a);
    if (colon < 0) return null;
    const bar = text.indexOfByte(0x7c, colon);
    const name = text.slice(colon + 1, bar < 0 ? text.length : bar);
    const part = partOf(text.slice(0, colon), name);
    if (part != null && bar >= 0) part.otherwise = text.slice(bar + 1);
    return part;
  }

  /** Whether it is of the request, which is gone when the response comes. */
  get isOfRequest(): bool {
    return this.source >= Source.Request && this.source <= Source.Query;
  }

  /** What it stands for in a message, or null if that is missing or cannot stand in a header. */
  valueIn(message: Pairs): Bytes | null {
    const value = this.found(message);
    return value != null && isHeaderValue(value) ? value : this.otherwise;
  }

  private found(message: Pairs): Bytes | null {
    switch (this.source) {
      case Source.Literal: return this.name;
      case Source.Header: case Source.Request: return message.getJoined(this.name);
      case Source.Property: return getProperty(this.name);
      case Source.Integer: return integerAt(this.name);
    }
    const isCookie = this.source == Source.Cookie;
    const text = isCookie ? message.get("cookie") : message.get(":path");
    if (text == null) return null;
    return isCookie ? cookieIn(text, this.name) : queryParameter(text, this.name);
  }
}

function partOf(kind: Bytes, name: Bytes): Part | null {
  if (name.isEmpty) return null;
  if (kind.equals("header")) return headerPart(Source.Header, name);
  if (kind.equals("request")) return headerPart(Source.Request, name);
  if (kind.equals("cookie")) return new Part(Source.Cookie, name);
  if (kind.equals("query")) return new Part(Source.Query, name);
  const isProperty = kind.equals("property");
  const path = isProperty || kind.equals("integer") ? propertyPath(name) : null;
  return path == null ? null : new Part(isProperty ? Source.Property : Source.Integer, path);
}

/** Of a header, also of a pseudo-header: `%{header::path}`. */
function headerPart(source: Source, name: Bytes): Part | null {
  return isHeaderName(name.at(0) == 0x3a ? name.slice(1) : name) ? new Part(source, name) : null;
}

/** An integer property in decimal, or null where there is none. */
function integerAt(path: Bytes): Bytes | null {
  const value = getInteger(path, i64.MIN_VALUE);
  return value != i64.MIN_VALUE ? new ByteWriter().integer(value).finish() : null;
}
