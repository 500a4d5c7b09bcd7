import { Bytes } from "@weft/sdk/assembly";
import { encode } from "@weft/sdk/assembly/utf8";

/** What begins with a byte of JSON. */
export enum Token {
  None,
  /** A string whose content, from the next byte on, is to be redacted. */
  SecretString,
  /** Another value to be redacted, with this byte. */
  SecretScalar,
}

enum State { Outside, InString, Escaped, Hexadecimal }

/** The longest name that can be configured, in bytes; a longer one in a body is no such name. */
export const NAME_BYTES_MAX: i32 = 128;

/** Objects and arrays within a redacted one whose kind is known; deeper, all strings are values. */
const DEPTH_MAX: u32 = 63;

/** Of a name that is too long. */
const TOO_LONG: i32 = -1;

/** The names whose values are to be redacted, in small letters. */
@final
export class FieldNames {
  constructor(private readonly names: Bytes[]) {}

  has(start: usize, length: i32): bool {
    for (let i = 0; i < this.names.length; i++) {
      const name = unchecked(this.names[i]);
      if (name.length == length && memory.compare(name.start, start, length) == 0) return true;
    }
    return false;
  }
}

/**
 * Reads JSON as far as it takes to know, at any byte, whether it stands in a string and whether
 * the value of one of these names begins. Anything may be fed to it: what is no JSON is read as
 * well as it goes. Escapes in names are understood; `"pass\u0077ord"` is a password.
 */
@final
export class JsonLexer {
  private readonly names: FieldNames | null;
  private state: State = State.Outside;
  private readonly name: StaticArray<u8> = new StaticArray<u8>(NAME_BYTES_MAX + 4);
  private nameLength: i32 = 0;
  private hexDigits: i32 = 0;
  private codePoint: u32 = 0;
  /** Whether the string that has just ended is one of the names; a colon makes it count. */
  private isNamed: bool = false;
  /** Whether the value that comes next belongs to one of the names. */
  private isExpected: bool = false;
  /** Inside the value of a name that is an object or array: how deep, and which are objects. */
  private depth: u32 = 0;
  private objects: u64 = 0;
  private isNameNext: bool = false;

  constructor(names: FieldNames | null) {
    this.names = names;
  }

  get isInString(): bool {
    return this.state != State.Outside;
  }

  step(byte: u32): Token {
    switch (this.state) {
      case State.InString: {
        this.readString(byte);
        return Token.None;
      }
      case State.Escaped: {
        this.readEscape(byte);
        return Token.None;
      }
      case State.Hexadecimal: {
        this.readHexadecimal(byte);
        return Token.None;
      }
    }
    if (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09) return Token.None;
    return this.depth > 0 ? this.stepWithin(byte) : this.stepOutside(byte);
  }

  private stepOutside(byte: u32): Token {
    const isExpected = this.isExpected;
    this.isExpected = byte == 0x3a && this.isNamed;
    this.isNamed = false;
    if (isExpected) return this.beginSecret(byte);
    if (byte == 0x22) this.beginString();
    return Token.None;
  }

  /** Within an object or array that is redacted: names stay, values go. */
  private stepWithin(byte: u32): Token {
    switch (byte) {
      case 0x7d: case 0x5d: {
        this.depth--;
        this.isNameNext = false;
        return Token.None;
      }
      case 0x2c: {
        this.isNameNext = this.isInObject;
        return Token.None;
      }
      case 0x3a: {
        this.isNameNext = false;
        return Token.None;
      }
    }
    if (!this.isNameNext) return this.beginSecret(byte);
    if (byte == 0x22) this.beginString();
    return Token.None;
  }

  private beginSecret(byte: u32): Token {
    if (byte == 0x22) return Token.SecretString;
    if (byte != 0x7b && byte != 0x5b) return Token.SecretScalar;
    const bit: u64 = 1 << <u64>min(this.depth, DEPTH_MAX);
    const isObject = byte == 0x7b && this.depth < DEPTH_MAX;
    this.objects = isObject ? this.objects | bit : this.objects & ~bit;
    this.depth++;
    this.isNameNext = isObject;
    return Token.None;
  }

  private get isInObject(): bool {
    return (this.objects >> <u64>min(this.depth - 1, DEPTH_MAX) & 1) != 0;
  }

  private beginString(): void {
    this.state = State.InString;
    this.nameLength = this.names == null ? TOO_LONG : 0;
  }

  private readString(byte: u32): void {
    if (byte == 0x5c) this.state = State.Escaped;
    else if (byte == 0x22) this.endString();
    else this.append(byte);
  }

  private endString(): void {
    this.state = State.Outside;
    const names = this.names;
    if (names == null || this.nameLength < 1 || this.depth > 0) return;
    this.isNamed = names.has(changetype<usize>(this.name), this.nameLength);
  }

  /** An escaped control character is in no name: it stands for itself here. */
  private readEscape(byte: u32): void {
    this.state = byte == 0x75 ? State.Hexadecimal : State.InString;
    this.hexDigits = 0;
    this.codePoint = 0;
    if (byte != 0x75) this.append(byte);
  }

  private readHexadecimal(byte: u32): void {
    const letter = byte | 0x20;
    const digit = byte - 0x30 < 10 ? byte - 0x30 : letter - 0x61 < 6 ? letter - 0x57 : 16;
    if (digit > 15) {
      this.state = State.InString;
      this.readString(byte);
      return;
    }
    this.codePoint = (this.codePoint << 4) | digit;
    if (++this.hexDigits < 4) return;
    this.state = State.InString;
    if (this.codePoint < 0x80) this.append(this.codePoint);
    else if (this.nameLength >= 0 && this.nameLength < NAME_BYTES_MAX) {
      const to = changetype<usize>(this.name) + this.nameLength;
      this.nameLength += encode(this.codePoint, to);
    }
  }

  @inline
  private append(byte: u32): void {
    if (<u32>this.nameLength >= <u32>NAME_BYTES_MAX) {
      this.nameLength = TOO_LONG;
      return;
    }
    const small = byte - 0x41 < 26 ? byte | 0x20 : byte;
    unchecked(this.name[this.nameLength++] = <u8>small);
  }
}
