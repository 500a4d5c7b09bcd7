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
  /** The lengths they have; most names of a body have another one. */
  private lengths: u64 = 0;

  constructor(private readonly names: Bytes[]) {
    for (let i = 0; i < names.length; i++) this.lengths |= bitOf(names[i].length);
  }

  /** Whether these bytes are one of them, in any case. */
  has(start: usize, length: i32): bool {
    if ((this.lengths & bitOf(length)) == 0) return false;
    const name = Bytes.view(start, length);
    for (let i = 0; i < this.names.length; i++) {
      if (name.equalsIgnoringCase(unchecked(this.names[i]))) return true;
    }
    return false;
  }
}

/** Lengths from 64 on share bits with shorter ones. */
@inline
function bitOf(length: i32): u64 {
  return (1 as u64) << (length & 63);
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
  /** Where in the bytes at hand the string that may be a name goes on; 0 if it may be none. */
  private nameStart: usize = 0;
  /** What of it came before: in an earlier piece, or with escapes. */
  private readonly name: StaticArray<u8> = new StaticArray<u8>(NAME_BYTES_MAX);
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

  /** Forgets all, to begin another body. */
  reset(): void {
    this.state = State.Outside;
    this.nameStart = 0;
    this.nameLength = 0;
    this.isNamed = false;
    this.isExpected = false;
    this.depth = 0;
    this.isNameNext = false;
  }

  get isInString(): bool {
    return this.state != State.Outside;
  }

  /** Whether only a quote or a backslash means something next. */
  get isInText(): bool {
    return this.state == State.InString;
  }

  /** Reads the byte that stands at an address. */
  step(byte: u32, at: usize): Token {
    switch (this.state) {
      case State.InString: {
        this.readString(byte, at);
        return Token.None;
      }
      case State.Escaped: {
        this.readEscape(byte, at);
        return Token.None;
      }
      case State.Hexadecimal: {
        this.readHexadecimal(byte, at);
        return Token.None;
      }
    }
    if (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09) return Token.None;
    return this.depth > 0 ? this.stepWithin(byte) : this.stepOutside(byte, at);
  }

  /** The bytes at hand end here; those that come next begin there. */
  suspend(end: usize): void {
    if (this.state == State.InString) this.keep(end);
    this.nameStart = 0;
  }

  resume(start: usize): void {
    if (this.state == State.InString && this.nameLength >= 0) this.nameStart = start;
  }

  private stepOutside(byte: u32, at: usize): Token {
    const isExpected = this.isExpected;
    this.isExpected = byte == 0x3a && this.isNamed;
    this.isNamed = false;
    if (isExpected) return this.beginSecret(byte);
    if (byte == 0x22) this.beginString(this.names == null ? 0 : at + 1);
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
    if (byte == 0x22) this.beginString(0);
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

  private beginString(nameStart: usize): void {
    this.state = State.InString;
    this.nameStart = nameStart;
    this.nameLength = nameStart == 0 ? TOO_LONG : 0;
  }

  private readString(byte: u32, at: usize): void {
    if (byte == 0x5c) {
      this.state = State.Escaped;
      this.keep(at);
    } else if (byte == 0x22) this.endString(at);
  }

  private endString(at: usize): void {
    this.state = State.Outside;
    const names = this.names;
    if (names == null || this.nameLength < 0) return;
    if (this.nameLength == 0) {
      this.isNamed = names.has(this.nameStart, <i32>(at - this.nameStart));
      return;
    }
    this.keep(at);
    this.isNamed = names.has(changetype<usize>(this.name), this.nameLength);
  }

  /** An escaped control character is in no name: its letter stands for it here. */
  private readEscape(byte: u32, at: usize): void {
    this.hexDigits = 0;
    this.codePoint = 0;
    if (byte == 0x75) this.state = State.Hexadecimal;
    else this.goOn(at);
  }

  private readHexadecimal(byte: u32, at: usize): void {
    const letter = byte | 0x20;
    const digit = byte - 0x30 < 10 ? byte - 0x30 : letter - 0x61 < 6 ? letter - 0x57 : 16;
    if (digit > 15) {
      this.goOn(at);
      this.readString(byte, at);
      return;
    }
    this.codePoint = (this.codePoint << 4) | digit;
    if (++this.hexDigits < 4) return;
    if (this.nameLength >= 0) {
      const to = memory.data(4);
      this.append(to, encode(this.codePoint, to));
    }
    this.goOn(at + 1);
  }

  /** The string goes on here as it stands. */
  private goOn(at: usize): void {
    this.state = State.InString;
    this.nameStart = this.nameLength < 0 ? 0 : at;
  }

  /** Keeps what of the name stands before `end`. */
  private keep(end: usize): void {
    if (this.nameLength < 0 || this.nameStart == 0) return;
    this.append(this.nameStart, <i32>(end - this.nameStart));
    this.nameStart = end;
  }

  private append(from: usize, count: i32): void {
    if (this.nameLength < 0 || count > NAME_BYTES_MAX - this.nameLength) {
      this.nameLength = TOO_LONG;
      return;
    }
    memory.copy(changetype<usize>(this.name) + this.nameLength, from, count);
    this.nameLength += count;
  }
}
