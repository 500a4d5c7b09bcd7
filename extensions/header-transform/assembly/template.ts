import { Bytes, ByteWriter, isHeaderValue, JsonReader, Pairs, room } from "@weft/sdk/assembly";
import { Part, Source } from "./part";

/** Parts of one value. */
const PARTS_MAX: i32 = 32;

/** The longest value a rule makes: with a few of these, Envoy's limit of all headers is near. */
export const VALUE_BYTES_MAX: i32 = 16_384;

/** The values of the parts of the template that is being rendered. */
const found = new StaticArray<Bytes>(PARTS_MAX);

/** What is kept of a request for the templates of its response. */
export type Kept = Array<Bytes | null>;

/** A header's value with parts of the message in it: `Bearer %{cookie:token}`. */
@final
export class Template {
  readonly parts: Part[] = [];

  /** Reads a text with `%{source:name}` and `%{source:name|otherwise}`; `%%` is one `%`. */
  read(json: JsonReader): void {
    const text = json.readString();
    if (!isHeaderValue(text)) json.refuse("holds a control character");
    let literal = new ByteWriter();
    for (let at = 0; at < text.length; at++) {
      const next = text.at(at) == 0x25 ? text.at(at + 1) : 0;
      if (next == 0x25) at++;
      if (next != 0x7b) {
        literal.byte(<u8>text.at(at));
        continue;
      }
      this.addLiteral(literal);
      literal = new ByteWriter();
      const end = text.indexOfByte(0x7d, at);
      const part = end > 0 ? Part.parse(text.slice(at + 2, end)) : null;
      if (part == null) return this.refuse(json, text.slice(at, end < 0 ? text.length : end + 1));
      this.parts.push(part);
      at = end;
    }
    this.addLiteral(literal);
    if (this.parts.length == 0) this.parts.push(new Part(Source.Literal, text));
    if (this.parts.length > PARTS_MAX) json.refuse("has too many parts");
  }

  private addLiteral(literal: ByteWriter): void {
    if (literal.length > 0) this.parts.push(new Part(Source.Literal, literal.finish()));
  }

  private refuse(json: JsonReader, part: Bytes): void {
    const sources = "header, request, cookie, query, property or integer";
    json.refuse("has " + part.toString() + ", which is not %{source:name} of " + sources);
  }

  /**
   * The value of a message, or null if a part of it is missing. Of a response, the parts that are
   * of its request stand in `kept`.
   */
  render(message: Pairs, kept: Kept | null): Bytes | null {
    const count = this.parts.length;
    let length = 0;
    for (let i = 0; i < count; i++) {
      const part = unchecked(this.parts[i]);
      const value = part.slot < 0 ? part.valueIn(message) : keptAt(kept, part);
      if (value == null) return null;
      unchecked(found[i] = value);
      length += value.length;
    }
    if (length > VALUE_BYTES_MAX) return null;
    return count == 1 ? unchecked(found[0]) : joined(count, length);
  }
}

/** What was kept of the request for a part; there may have been none, or no room for it. */
function keptAt(kept: Kept | null, part: Part): Bytes | null {
  return kept != null && part.slot < kept.length ? unchecked(kept[part.slot]) : part.otherwise;
}

/** The values that were found, one behind the other. */
function joined(count: i32, length: i32): Bytes | null {
  const whole = room(length);
  if (whole.length < length) return null;
  let at = whole.start;
  for (let i = 0; i < count; i++) {
    const value = unchecked(found[i]);
    memory.copy(at, value.start, value.length);
    at += value.length;
  }
  return whole;
}
