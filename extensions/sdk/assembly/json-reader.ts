// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { encode, sequenceLength } from "./utf8";

/** Objects within objects; a configuration deeper than this is a mistake or an attack. */
const DEPTH_MAX: i32 = 32;

/** What stands on the way for an item: its number is told only where something is wrong with it. */
const ITEM = "[]";

/**
 * Reads JSON (RFC 8259) step by step. It never traps. The first problem is kept with its field and
 * position, and from then on every step answers "no more", so that a reader needs no check between
 * the steps:
 *
 *     json.openObject();
 *     while (json.nextMember()) {
 *       if (json.name.equals("cookie")) cookie = json.readString();
 *       else json.refuse("is no setting");
 *     }
 *     if (!json.finish()) logError(json.problem);
 */
@final
export class JsonReader {
  /** What is wrong, or "" so far: `request.x: expected a string, found a number, at byte 17`. */
  problem: string = "";
  /** The member `nextMember` has stepped to. */
  name: Bytes = Bytes.of("");

  private readonly bytes: Bytes;
  private position: i32 = 0;
  /** Where the current member begins. */
  private memberPosition: i32 = 0;
  /** The names on the way to the current member: one for each open object, ITEM in an array. */
  private readonly path: string[] = [];
  /** The items of each open array so far; of an object, -1. */
  private readonly counts: i32[] = [];
  private isFirstMember: bool = false;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }

  /** Whether a string stands here, where there can be other things. */
  get isAtString(): bool {
    return this.problem.length == 0 && this.skipTo() == 0x22;
  }

  /** Whether an array stands here. */
  get isAtArray(): bool {
    return this.problem.length == 0 && this.skipTo() == 0x5b;
  }

  /** Enters the object that stands here. */
  openObject(): bool {
    return this.expect(0x7b, "an object") && this.open(-1);
  }

  /** Enters the array that stands here. */
  openArray(): bool {
    return this.expect(0x5b, "an array") && this.open(0);
  }

  private open(count: i32): bool {
    if (this.path.length == DEPTH_MAX) return this.refuse("is nested too deeply");
    this.path.push("");
    this.counts.push(count);
    this.isFirstMember = true;
    return true;
  }

  /** Leaves the object or array whose end stands here. */
  private close(): bool {
    this.position++;
    this.path.pop();
    this.counts.pop();
    this.isFirstMember = false;
    return false;
  }

  /** Steps to the next item of the open array; at its end leaves it and answers false. */
  nextItem(): bool {
    if (this.problem.length > 0 || this.path.length == 0) return false;
    const depth = this.path.length - 1;
    const isFirst = this.isFirstMember;
    this.isFirstMember = false;
    this.path[depth] = "";
    if (this.skipTo() == 0x5d) return this.close();
    if (!isFirst && !this.expect(0x2c, "a comma or the end of the array")) return false;
    this.skipTo();
    this.memberPosition = this.position;
    this.path[depth] = ITEM;
    this.counts[depth]++;
    return true;
  }

  /** Steps to the next member of the open object; at its end leaves it and answers false. */
  nextMember(): bool {
    if (this.problem.length > 0 || this.path.length == 0) return false;
    const isFirst = this.isFirstMember;
    this.isFirstMember = false;
    this.path[this.path.length - 1] = "";
    if (this.skipTo() == 0x7d) return this.close();
    if (!isFirst && !this.expect(0x2c, "a comma or the end of the object")) return false;
    this.skipTo();
    this.memberPosition = this.position;
    this.name = this.text("a name in quotes");
    if (!this.expect(0x3a, "a colon")) return false;
    this.path[this.path.length - 1] = this.name.toString();
    return true;
  }

  /** The string that stands here, owned; empty if there is none, which `problem` then tells. */
  readString(): Bytes {
    return this.text("a string");
  }

  /** The string that stands here, which must be one of these: answers which. */
  readChoice(choices: string[]): i32 {
    const text = this.readString();
    if (this.problem.length > 0) return 0;
    let names = "";
    for (let i = 0; i < choices.length; i++) {
      if (text.equals(choices[i])) return i;
      names += (i == 0 ? "" : i == choices.length - 1 ? " or " : ", ") + choices[i];
    }
    this.position = this.memberPosition;
    return this.failAt(": must be " + names);
  }

  /** The truth that stands here. */
  readBool(): bool {
    if (this.problem.length > 0) return false;
    const first = this.skipTo();
    if (this.skipWord("true")) return true;
    if (this.skipWord("false")) return false;
    if (first == 0x74 || first == 0x66) return this.fail(": expected true or false, misspelt");
    return this.expected("true or false");
  }

  /** Steps over `null`, if it stands here. */
  skipNull(): bool {
    return this.problem.length == 0 && this.skipTo() == 0x6e && this.skipWord("null");
  }

  /** The whole number that stands here, within bounds that count in. */
  readInteger(least: i64, greatest: i64): i64 {
    const start = this.skipNumber();
    if (this.problem.length > 0) return least;
    const digits = this.bytes.slice(start, this.position);
    const value = digits.toInteger(i64.MIN_VALUE);
    if (value == i64.MIN_VALUE) {
      this.position = start;
      return this.failAt(": must be a whole number of at most 18 digits");
    }
    if (value < least) return this.outside(start, "least", least.toString());
    return value > greatest ? this.outside(start, "most", greatest.toString()) : value;
  }

  /** The number that stands here, within bounds that count in. */
  readNumber(least: f64, greatest: f64): f64 {
    const start = this.skipNumber();
    if (this.problem.length > 0) return least;
    const value = F64.parseFloat(this.bytes.slice(start, this.position).toString());
    if (value < least) return <f64>this.outside(start, "least", least.toString());
    return value > greatest ? <f64>this.outside(start, "most", greatest.toString()) : value;
  }

  /** Refuses an object that has just ended if it lacks a member. */
  require(isGiven: bool, name: string): void {
    if (!isGiven) this.fail(" needs " + name);
  }

  /** Refuses what was read last if its length, in `unit`, is not within bounds that count in. */
  checkLength(length: i32, least: i32, greatest: i32, unit: string): void {
    if (length < least) this.fail(": must have at least " + least.toString() + " " + unit);
    if (length > greatest) this.fail(": must have at most " + greatest.toString() + " " + unit);
  }

  private outside(start: i32, which: string, bound: string): i32 {
    this.position = start;
    return this.failAt(": must be at " + which + " " + bound);
  }

  /** Steps over a number and answers where it began. */
  private skipNumber(): i32 {
    if (this.problem.length > 0) return 0;
    let byte = this.skipTo();
    const start = this.position;
    if (byte == 0x2d) byte = this.bytes.at(++this.position);
    const first = this.position;
    const whole = this.skipDigits();
    if (whole == 0 || (whole > 1 && this.bytes.at(first) == 0x30)) return this.noNumber(start);
    if (this.bytes.at(this.position) == 0x2e) {
      this.position++;
      if (this.skipDigits() == 0) return this.noNumber(start);
    }
    if ((this.bytes.at(this.position) | 0x20) == 0x65) {
      const sign = this.bytes.at(++this.position);
      if (sign == 0x2b || sign == 0x2d) this.position++;
      if (this.skipDigits() == 0) return this.noNumber(start);
    }
    return start;
  }

  private noNumber(start: i32): i32 {
    this.position = start;
    const byte = this.bytes.at(start);
    if (byte != 0x2d && <u32>byte - 0x30 > 9) this.expected("a number");
    return this.failAt(": JSON does not write a number like this");
  }

  private skipDigits(): i32 {
    const start = this.position;
    while (<u32>this.bytes.at(this.position) - 0x30 < 10) this.position++;
    return this.position - start;
  }

  private skipWord(word: string): bool {
    const there = this.bytes.slice(this.position, this.position + word.length);
    if (!there.equals(word)) return false;
    this.position += word.length;
    return true;
  }

  /** Checks that nothing follows, and answers whether all was well. */
  finish(): bool {
    if (this.problem.length == 0 && this.skipTo() != -1) this.expected("the end");
    return this.problem.length == 0;
  }

  /** Refuses the current member for a reason of the caller's. Answers false, to return it. */
  refuse(reason: string): bool {
    if (this.path.length > 0 && this.problem.length == 0) this.position = this.memberPosition;
    return this.fail(" " + reason);
  }

  private text(wanted: string): Bytes {
    if (!this.expect(0x22, wanted)) return Bytes.view(0, 0);
    const start = this.position;
    const end = this.closingQuote();
    const buffer = new ArrayBuffer(end - start);
    const first = changetype<usize>(buffer);
    let to = first;
    while (this.problem.length == 0 && this.position < end) to += this.copyCharacter(to, end);
    this.position++;
    const text = Bytes.owned(buffer);
    const length = <i32>(to - first);
    return length == text.length ? text : text.slice(0, length);
  }

  /** The position of the quote that ends the string begun before `position`. */
  private closingQuote(): i32 {
    for (let at = this.position; at < this.bytes.length; at++) {
      const byte = this.bytes.at(at);
      if (byte == 0x22) return at;
      if (byte == 0x5c) at++;
    }
    this.position = this.bytes.length;
    this.fail(": a string has no end");
    return this.position;
  }

  /** Copies one character, escaped or plain, and answers how many bytes it took. */
  private copyCharacter(to: usize, end: i32): i32 {
    const byte = this.bytes.at(this.position);
    if (byte == 0x5c) return encode(this.escaped(), to);
    if (byte < 0x20) return this.failAt(": a control character must be escaped");
    const from = this.bytes.start + this.position;
    const length = sequenceLength(from, this.bytes.start + end);
    if (length == 0) return this.failAt(": not UTF-8");
    memory.copy(to, from, length);
    this.position += length;
    return length;
  }

  /** Reads an escape sequence. A surrogate alone is no character and is refused. */
  private escaped(): u32 {
    const letter = this.bytes.at(this.position + 1);
    if (letter != 0x75) return this.simpleEscape(letter);
    const unit = this.hexUnit();
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || this.bytes.at(this.position) != 0x5c) return this.loneSurrogate();
    if (this.bytes.at(this.position + 1) != 0x75) return this.loneSurrogate();
    const low = this.hexUnit();
    if (low < 0xdc00 || low > 0xdfff) return this.loneSurrogate();
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }

  private simpleEscape(letter: i32): u32 {
    this.position += 2;
    switch (letter) {
      case 0x22: case 0x2f: case 0x5c: return letter;
      case 0x62: return 0x08;
      case 0x66: return 0x0c;
      case 0x6e: return 0x0a;
      case 0x72: return 0x0d;
      case 0x74: return 0x09;
    }
    this.position -= 2;
    return this.failAt(": unknown escape sequence");
  }

  /** Reads `\uXXXX`. */
  private hexUnit(): u32 {
    let unit: u32 = 0;
    for (let i = 2; i < 6; i++) {
      const byte = this.bytes.at(this.position + i);
      const letter = byte | 0x20;
      if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
      else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
      else return this.failAt(": \\u needs four hexadecimal digits");
    }
    this.position += 6;
    return unit;
  }

  private loneSurrogate(): u32 {
    return this.failAt(": half of a surrogate pair");
  }

  /** The next byte that is not white space, or -1 at the end. */
  private skipTo(): i32 {
    let byte = this.bytes.at(this.position);
    while (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09) {
      byte = this.bytes.at(++this.position);
    }
    return byte;
  }

  private expect(byte: i32, wanted: string): bool {
    if (this.problem.length > 0) return false;
    if (this.skipTo() != byte) return this.expected(wanted);
    this.position++;
    return true;
  }

  private expected(wanted: string): bool {
    return this.fail(": expected " + wanted + ", found " + nameOf(this.bytes.at(this.position)));
  }

  /** As `fail`, for those that answer a number. */
  private failAt(what: string): i32 {
    this.fail(what);
    return 0;
  }

  private fail(what: string): bool {
    if (this.problem.length > 0) return false;
    this.problem = this.field() + what + ", at byte " + this.position.toString();
    return false;
  }

  /** The way to the current member, as `rules[2].percent`. */
  private field(): string {
    let field = "";
    for (let i = 0; i < this.path.length; i++) {
      const name = this.path[i];
      if (name.length == 0) continue;
      if (this.counts[i] >= 0) field += "[" + (this.counts[i] - 1).toString() + "]";
      else field += field.length > 0 ? "." + name : name;
    }
    return field.length > 0 ? field : "configuration";
  }
}

/** What a value is, told by its first byte. */
function nameOf(byte: i32): string {
  switch (byte) {
    case -1: return "the end";
    case 0x22: return "a string";
    case 0x7b: return "an object";
    case 0x5b: return "an array";
    case 0x74: case 0x66: return "a boolean";
    case 0x6e: return "null";
  }
  if (byte == 0x2d || (byte >= 0x30 && byte <= 0x39)) return "a number";
  return byte > 0x20 && byte < 0x7f ? "'" + String.fromCharCode(byte) + "'" : "a stray byte";
}
