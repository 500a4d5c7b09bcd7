import {
  Bytes, Headers, isHeaderValue, isProxyHeader, JsonReader, Pairs, room, schema,
} from "@weft/sdk/assembly";
import { checkTarget } from "./target";
import { Template, VALUE_BYTES_MAX } from "./template";

/** Headers to remove, by name or by how names begin: `x-debug-*`. */
@schema('{"type": "array", "items": {"type": "string"}}')
@final
export class Removals {
  private readonly names: Bytes[] = [];
  private readonly prefixes: Bytes[] = [];

  read(json: JsonReader): void {
    json.openArray();
    while (json.nextItem()) {
      const name = json.readString();
      const last = name.length - 1;
      const isPrefix = last > 0 && name.at(last) == 0x2a;
      checkTarget(json, name, isPrefix ? this.prefixes : this.names);
      if (isPrefix) this.prefixes.push(name.slice(0, last).toLowerCase().copy());
      else this.names.push(name);
    }
  }

  apply(headers: Headers, message: Pairs): void {
    for (let i = 0; i < this.names.length; i++) {
      const name = unchecked(this.names[i]);
      if (message.indexOf(name, 0) >= 0) headers.remove(name);
    }
    if (this.prefixes.length == 0) return;
    message.rewind();
    while (message.next()) if (this.hasPrefixOf(message.name)) headers.remove(message.name);
  }

  /** Names of a message are in lower case. */
  private hasPrefixOf(name: Bytes): bool {
    for (let i = 0; i < this.prefixes.length; i++) {
      if (name.startsWith(unchecked(this.prefixes[i]))) return !isProxyHeader(name);
    }
    return false;
  }
}

/** Headers to give another name. */
@schema('{"type": "object", "additionalProperties": {"type": "string"}}')
@final
export class Renamings {
  private readonly from: Bytes[] = [];
  private readonly to: Bytes[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      const from = json.name;
      checkTarget(json, from, this.from);
      const to = json.readString();
      checkTarget(json, to, this.to);
      if (to.equalsIgnoringCase(from)) json.refuse("is its name already");
      this.from.push(from);
      this.to.push(to);
    }
  }

  /** The new name holds what the old one held, and nothing else. */
  apply(headers: Headers, message: Pairs): void {
    for (let i = 0; i < this.from.length; i++) {
      const from = unchecked(this.from[i]);
      const to = unchecked(this.to[i]);
      let place = message.indexOf(from, 0);
      if (place < 0) continue;
      headers.set(to, message.valueAt(place));
      while ((place = message.indexOf(from, place + 1)) >= 0) {
        headers.add(to, message.valueAt(place));
      }
      headers.remove(from);
    }
  }
}

/** Texts to replace in the values of headers: `{"location": {"http://": "https://"}}`. */
@schema(`{
  "type": "object",
  "additionalProperties": { "type": "object", "additionalProperties": { "type": "string" } }
}`)
@final
export class Replacements {
  private readonly names: Bytes[] = [];
  private readonly texts: Bytes[] = [];
  private readonly by: Bytes[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      const name = json.name;
      checkTarget(json, name, this.names);
      json.openObject();
      while (json.nextMember()) {
        if (json.name.isEmpty) json.refuse("has an empty text to replace");
        this.names.push(name);
        this.texts.push(json.name);
        this.by.push(json.readString());
        if (!isHeaderValue(this.by[this.by.length - 1])) json.refuse("holds a control character");
      }
    }
  }

  /** All texts of one header stand side by side, and are replaced one after the other. */
  apply(headers: Headers, message: Pairs): void {
    for (let i = 0; i < this.names.length; i++) {
      const name = unchecked(this.names[i]);
      const first = i;
      while (i + 1 < this.names.length && unchecked(this.names[i + 1]) === name) i++;
      if (this.isIn(message, first, i)) this.replace(headers, message, first, i);
    }
  }

  /** Whether a value of the header holds one of the texts from `first` to `last`. */
  private isIn(message: Pairs, first: i32, last: i32): bool {
    const name = unchecked(this.names[first]);
    for (let at = message.indexOf(name, 0); at >= 0; at = message.indexOf(name, at + 1)) {
      const value = message.valueAt(at);
      for (let i = first; i <= last; i++) {
        if (value.contains(unchecked(this.texts[i]))) return true;
      }
    }
    return false;
  }

  private replace(headers: Headers, message: Pairs, first: i32, last: i32): void {
    const name = unchecked(this.names[first]);
    const start = message.indexOf(name, 0);
    for (let at = start; at >= 0; at = message.indexOf(name, at + 1)) {
      let value = message.valueAt(at);
      for (let i = first; i <= last; i++) {
        value = replaced(value, unchecked(this.texts[i]), unchecked(this.by[i]));
      }
      if (at == start) headers.set(name, value);
      else headers.add(name, value);
    }
  }
}

/** A value with each `text` replaced; the value itself if that grew too long. */
function replaced(value: Bytes, text: Bytes, by: Bytes): Bytes {
  let count = 0;
  for (let at = value.indexOf(text); at >= 0; at = value.indexOf(text, at + text.length)) count++;
  const length = value.length + count * (by.length - text.length);
  if (count == 0 || length > VALUE_BYTES_MAX) return value;
  const whole = room(length);
  if (whole.length < length) return value;
  let from = 0;
  let to = whole.start;
  while (count-- > 0) {
    const at = value.indexOf(text, from);
    memory.copy(to, value.start + from, at - from);
    memory.copy(to + at - from, by.start, by.length);
    to += at - from + by.length;
    from = at + text.length;
  }
  memory.copy(to, value.start + from, value.length - from);
  return whole;
}

/** Headers and what to put into them. */
@schema('{"type": "object", "additionalProperties": {"type": "string"}}')
@final
export class Values {
  readonly names: Bytes[] = [];
  readonly templates: Template[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      const name = json.name;
      checkTarget(json, name, this.names);
      const template = new Template();
      template.read(json);
      this.names.push(name);
      this.templates.push(template);
    }
  }

  @inline
  get size(): i32 {
    return this.names.length;
  }
}
