// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.
// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { ByteWriter } from "./byte-writer";
import { Bytes } from "./bytes";
import { areEqual } from "./equality";
import { JsonStep, tellPath } from "./json-step";
import { textLength, textStart } from "./text";
import { encode, sequenceLength } from "./utf8";

/** Objects within objects; a configuration deeper than this is a mistake or an attack. */
const DEPTH_MAX: i32 = 32;

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
  /** What is wrong; empty so far: `request.x: expected a string, found a number, at byte 17`. */
  problem: Bytes = Bytes.of("");
  /** The member `nextMember` has stepped to. */
  name: Bytes = Bytes.of("");

  private readonly bytes: Bytes;
  private position: i32 = 0;
  /** Where the current member begins. */
  private memberPosition: i32 = 0;
  /** The innermost object or array that is open. */
  private step: JsonStep | null = null;
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
    const step = new JsonStep(this.step, count);
    if (step.depth > DEPTH_MAX) return this.refuse("is nested too deeply");
    this.step = step;
    this.isFirstMember = true;
    return true;
  }

  /** Leaves the object or array whose end stands here. */
  private close(step: JsonStep): bool {
    this.position++;
    this.step = step.outer;
    this.isFirstMember = false;
    return false;
  }

  /** Steps to the next item of the open array; at its end leaves it and answers false. */
  nextItem(): bool {
    const step = this.nextPlace(0x5d, "a comma or the end of the array");
    if (step == null) return false;
    step.isNamed = true;
    step.items++;
    return true;
  }

  /** Steps to the next member of the open object; at its end leaves it and answers false. */
  nextMember(): bool {
    const step = this.nextPlace(0x7d, "a comma or the end of the object");
    if (step == null) return false;
    this.name = this.text("a name in quotes");
    if (!this.expect(0x3a, "a colon")) return false;
    step.isNamed = !this.name.isEmpty;
    step.name = this.name;
    return true;
  }

  /** Steps to where the next item or member begins; null if there is none, or no comma before. */
  private nextPlace(end: i32, otherwise: string): JsonStep | null {
    const step = this.step;
    if (this.problem.length > 0 || step == null) return null;
    const isFirst = this.isFirstMember;
    this.isFirstMember = false;
    step.isNamed = false;
    if (this.skipTo() == end) this.close(step);
    else if (isFirst || this.expect(0x2c, otherwise)) {
      this.skipTo();
      this.memberPosition = this.position;
      return step;
    }
    return null;
  }

  /** The string that stands here, owned; empty if there is none, which `problem` then tells. */
  readString(): Bytes {
    return this.text("a string");
  }

  /** The string that stands here, which must be one of these: answers which. */
  readChoice(choices: string[]): i32 {
    const text = this.readString();
    if (this.problem.length > 0) return 0;
    const wanted = new ByteWriter().text(": must be ");
    for (let i = 0; i < choices.length; i++) {
      if (text.equals(choices[i])) return i;
      if (i > 0) wanted.text(i == choices.length - 1 ? " or " : ", ");
      wanted.text(choices[i]);
    }
    this.position = this.memberPosition;
    return this.failAt(wanted.finish());
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
    if (value < least) return this.outside(start, "least", decimal(least));
    return value > greatest ? this.outside(start, "most", decimal(greatest)) : value;
  }

  /** The number that stands here, within bounds that count in. */
  readNumber(least: f64, greatest: f64): f64 {
    const start = this.skipNumber();
    if (this.problem.length > 0) return least;
    const value = F64.parseFloat(this.bytes.slice(start, this.position).toString());
    if (value < least) return <f64>this.outside(start, "least", Bytes.of(least.toString()));
    if (value <= greatest) return value;
    return <f64>this.outside(start, "most", Bytes.of(greatest.toString()));
  }

  /** Refuses an object that has just ended if it lacks a member. */
  require<T>(isGiven: bool, name: T): void {
    if (!isGiven) this.fail(new ByteWriter().text(" needs ").text<T>(name).finish());
  }

  /** Refuses what was read last if its length, in `unit`, is not within bounds that count in. */
  checkLength<T>(length: i32, least: i32, greatest: i32, unit: T): void {
    if (length >= least && length <= greatest) return;
    const what = new ByteWriter().text(": must have at ").text(length < least ? "least" : "most");
    const bound = length < least ? least : greatest;
    this.fail(what.text(" ").integer(bound).text(" ").text<T>(unit).finish());
  }

  private outside(start: i32, which: string, bound: Bytes): i32 {
    this.position = start;
    return this.failAt(
      new ByteWriter().text(": must be at ").text(which).text(" ").text(bound).finish(),
    );
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
    const start = textStart(word);
    const length = textLength();
    if (length > this.bytes.length - this.position) return false;
    if (!areEqual(this.bytes.start + this.position, start, length)) return false;
    this.position += length;
    return true;
  }

  /** Checks that nothing follows, and answers whether all was well. */
  finish(): bool {
    if (this.problem.length == 0 && this.skipTo() != -1) this.expected("the end");
    return this.problem.length == 0;
  }

  /** Refuses the current member for a reason of the caller's. Answers false, to return it. */
  refuse<T>(reason: T): bool {
    if (this.step != null && this.problem.length == 0) this.position = this.memberPosition;
    return this.fail(new ByteWriter().text(" ").text<T>(reason).finish());
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
    const what = new ByteWriter().text(": expected ").text(wanted).text(", found ");
    tellKind(what, this.bytes.at(this.position));
    return this.fail(what.finish());
  }

  /** As `fail`, for those that answer a number. */
  private failAt<T>(what: T): i32 {
    this.fail<T>(what);
    return 0;
  }

  private fail<T>(what: T): bool {
    if (this.problem.length > 0) return false;
    const out = new ByteWriter();
    const step = this.step;
    if (step != null) tellPath(out, step);
    if (out.length == 0) out.text("configuration");
    this.problem = out.text<T>(what).text(", at byte ").integer(this.position).finish();
    return false;
  }
}

function decimal(value: i64): Bytes {
  return new ByteWriter().integer(value).finish();
}

/** Tells what a value is by its first byte. */
function tellKind(out: ByteWriter, byte: i32): void {
  if (byte == -1) out.text("the end");
  else if (byte == 0x22) out.text("a string");
  else if (byte == 0x7b) out.text("an object");
  else if (byte == 0x5b) out.text("an array");
  else if (byte == 0x74 || byte == 0x66) out.text("a boolean");
  else if (byte == 0x6e) out.text("null");
  else if (byte == 0x2d || (byte >= 0x30 && byte <= 0x39)) out.text("a number");
  else if (byte > 0x20 && byte < 0x7f) out.text("'").byte(<u8>byte).text("'");
  else out.text("a stray byte");
}
