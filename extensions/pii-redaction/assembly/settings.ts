import { Bytes, config, JsonReader, max, min, schema } from "@weft/sdk/assembly";
import { ContentTypes } from "./content-types";
import { NAME_BYTES_MAX } from "./json-lexer";
import { Style } from "./replacer";

/** Literal texts take a table of as many rows as they have bytes together. */
const LITERAL_BYTES_MAX: i32 = 8192;

/** The longest literal text: as many bytes of a body may be held back for it. */
const LITERAL_LENGTH_MAX: i32 = 256;

@schema('{"enum": ["mask", "text", "hash"]}')
export class LookStyle {
  value: Style = Style.Mask;

  read(json: JsonReader): void {
    const name = json.readString();
    if (name.equals("mask")) this.value = Style.Mask;
    else if (name.equals("text")) this.value = Style.Text;
    else if (name.equals("hash")) this.value = Style.Hash;
    else json.refuse("must be mask, text or hash");
  }
}

/** What a finding looks like afterwards. */
@config
export class Look {
  /** `mask` puts a star for each byte, `text` a fixed text, `hash` a keyed hash. */
  style: LookStyle = new LookStyle();
  /** How many bytes at the end a mask leaves readable; never more than half. */
  @max(16) keepLast: u8 = 0;
  /** What stands there in the style `text`. */
  @min(1) @max(64) text: string = "[redacted]";

  check(json: JsonReader): void {
    for (let i = 0; i < this.text.length; i++) {
      const unit = this.text.charCodeAt(i);
      // In a string of JSON it would end the string or spoil it.
      if (unit < 0x20 || unit == 0x22 || unit == 0x5c) {
        json.refuse("must not have quotes, backslashes or control characters in text");
      }
    }
  }
}

/** Values of JSON to redact by the name they have, at any depth. */
@config
export class Fields {
  /** The names. They know no case in ASCII. */
  @min(1) @max(64) names: Array<Bytes> = new Array<Bytes>();
  /** What the values look like afterwards. */
  as: Look = new Look();

  check(json: JsonReader): void {
    for (let i = 0; i < this.names.length; i++) {
      const length = this.names[i].length;
      if (length == 0 || length > NAME_BYTES_MAX) {
        json.refuse("must have names of 1 to " + NAME_BYTES_MAX.toString() + " bytes");
      }
    }
    if (this.names.length == 0) json.refuse("needs names");
    if (this.as.keepLast > 0) json.refuse("must not keep the last bytes of a value");
  }
}

/** Texts to redact wherever they stand. */
@config
export class LiteralTexts {
  /** The texts. */
  @min(1) @max(256) texts: Array<Bytes> = new Array<Bytes>();
  /** Whether capitals and small letters of ASCII are the same. */
  ignoreCase: bool = false;
  /** What they look like afterwards. */
  as: Look = new Look();

  check(json: JsonReader): void {
    let total = 0;
    for (let i = 0; i < this.texts.length; i++) {
      const length = this.texts[i].length;
      total += length;
      if (length < 2 || length > LITERAL_LENGTH_MAX) {
        json.refuse("must have texts of 2 to " + LITERAL_LENGTH_MAX.toString() + " bytes");
      }
    }
    if (total == 0) json.refuse("needs texts");
    if (total > LITERAL_BYTES_MAX) {
      json.refuse("must have texts of at most " + LITERAL_BYTES_MAX.toString() + " bytes in all");
    }
  }
}

/** Which bodies are looked at. */
export enum Side { Response, Request, Both }

@schema('{"enum": ["response", "request", "both"]}')
export class Sides {
  value: Side = Side.Response;

  read(json: JsonReader): void {
    const name = json.readString();
    if (name.equals("response")) this.value = Side.Response;
    else if (name.equals("request")) this.value = Side.Request;
    else if (name.equals("both")) this.value = Side.Both;
    else json.refuse("must be response, request or both");
  }
}

/** What happens to a body that cannot be looked at. */
@schema('{"enum": ["pass", "refuse"]}')
export class Policy {
  isRefused: bool = false;

  read(json: JsonReader): void {
    const name = json.readString();
    this.isRefused = name.equals("refuse");
    if (!this.isRefused && !name.equals("pass")) json.refuse("must be pass or refuse");
  }
}

/** What to look for, where, and what to put in its place. A kind that is not named is let be. */
@config
export class Settings {
  /** Which bodies are looked at. */
  sides: Sides = new Sides();
  /** E-mail addresses. */
  email: Look | null = null;
  /** Payment card numbers. */
  card: Look | null = null;
  /** International bank account numbers. */
  iban: Look | null = null;
  /** US social security numbers. */
  ssn: Look | null = null;
  /** Telephone numbers. */
  phone: Look | null = null;
  /** IPv4 addresses. */
  ipv4: Look | null = null;
  /** IPv6 addresses. */
  ipv6: Look | null = null;
  /** Values of JSON by their names. */
  fields: Fields | null = null;
  /** Texts as they stand. */
  literals: LiteralTexts | null = null;
  /** The secret that hashes are made with. */
  @max(256) hashKey: string = "";
  /** The content types that are looked at; `*` stands for anything. */
  contentTypes: ContentTypes = new ContentTypes();
  /** What happens to a compressed body. */
  compressed: Policy = new Policy();
  /** The most bytes of a body that are looked at; 0 for all. */
  maxBytes: u64 = 0;
  /** What happens to a longer one. */
  tooLong: Policy = new Policy();
  /** Whether to count only and change nothing. */
  dryRun: bool = false;

  check(json: JsonReader): void {
    const looks = this.looks();
    if (looks.length == 0) json.refuse("names nothing to look for");
    for (let i = 0; i < looks.length; i++) {
      const isHashed = looks[i].style.value == Style.Hash;
      if (isHashed && this.hashKey.length < 16) {
        json.refuse("needs a hashKey of 16 characters or more for the style hash");
      }
    }
  }

  get looksAtRequests(): bool {
    return this.sides.value != Side.Response;
  }

  get looksAtResponses(): bool {
    return this.sides.value != Side.Request;
  }

  private looks(): Look[] {
    const looks = new Array<Look>();
    add(looks, this.email);
    add(looks, this.card);
    add(looks, this.iban);
    add(looks, this.ssn);
    add(looks, this.phone);
    add(looks, this.ipv4);
    add(looks, this.ipv6);
    const fields = this.fields;
    if (fields != null) looks.push(fields.as);
    const literals = this.literals;
    if (literals != null) looks.push(literals.as);
    return looks;
  }
}

function add(looks: Look[], look: Look | null): void {
  if (look != null) looks.push(look);
}
