import { Bytes } from "./bytes";
import { schema } from "./decorators";
import { JsonReader } from "./json-reader";

/** Texts that one match may name; it compares them one by one. */
const TEXTS_MAX: i32 = 64;

enum Kind { Equals, Prefix, Suffix, Contains, Present }

/**
 * What a text must be like: a text that it equals, or `{"equals": …}`, `{"prefix": …}`,
 * `{"suffix": …}`, `{"contains": …}` with one text or several, of which one must fit, or
 * `{"present": true}`; and `{"not": …}` of these.
 */
@schema(`{
  "anyOf": [
    { "type": "string" },
    {
      "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
      "properties": {
        "equals": { "type": ["string", "array"], "items": { "type": "string" } },
        "prefix": { "type": ["string", "array"], "items": { "type": "string" } },
        "suffix": { "type": ["string", "array"], "items": { "type": "string" } },
        "contains": { "type": ["string", "array"], "items": { "type": "string" } },
        "present": { "type": "boolean" },
        "not": { "type": ["string", "object"] }
      }
    }
  ]
}`)
@final
export class TextMatch {
  private kind: Kind = Kind.Equals;
  private isInverted: bool = false;
  private readonly texts: Bytes[] = [];

  read(json: JsonReader): void {
    if (json.isAtString) {
      this.texts.push(json.readString());
      return;
    }
    let isGiven = false;
    json.openObject();
    while (json.nextMember()) {
      if (isGiven) json.refuse("is one too many: a match says one thing");
      isGiven = true;
      this.readMember(json);
    }
    if (!isGiven) json.refuse("matches nothing: say equals, prefix, suffix, contains or present");
  }

  private readMember(json: JsonReader): void {
    if (json.name.equals("not")) {
      this.read(json);
      this.isInverted = !this.isInverted;
    } else if (json.name.equals("present")) {
      this.kind = Kind.Present;
      if (!json.readBool()) this.isInverted = !this.isInverted;
    } else if (this.takeKind(json.name)) {
      this.readTexts(json);
    } else {
      json.refuse("is no match; there are equals, prefix, suffix, contains, present and not");
    }
  }

  private takeKind(name: Bytes): bool {
    if (name.equals("equals")) this.kind = Kind.Equals;
    else if (name.equals("prefix")) this.kind = Kind.Prefix;
    else if (name.equals("suffix")) this.kind = Kind.Suffix;
    else if (name.equals("contains")) this.kind = Kind.Contains;
    else return false;
    return true;
  }

  private readTexts(json: JsonReader): void {
    if (!json.isAtArray) {
      this.texts.push(json.readString());
      return;
    }
    json.openArray();
    while (json.nextItem()) {
      if (this.texts.length == TEXTS_MAX) json.refuse("is one text too many");
      this.texts.push(json.readString());
    }
    if (this.texts.length == 0) json.refuse("names no text");
  }

  /** Whether a text is like this; null, which is none, is so only where the match says `not`. */
  matches(text: Bytes | null): bool {
    return (text != null && this.fits(text)) != this.isInverted;
  }

  private fits(text: Bytes): bool {
    const kind = this.kind;
    if (kind == Kind.Present) return true;
    for (let i = 0; i < this.texts.length; i++) {
      const wanted = unchecked(this.texts[i]);
      if (kind == Kind.Equals && text.equals(wanted)) return true;
      if (kind == Kind.Prefix && text.startsWith(wanted)) return true;
      if (kind == Kind.Suffix && text.endsWith(wanted)) return true;
      if (kind == Kind.Contains && text.contains(wanted)) return true;
    }
    return false;
  }
}
