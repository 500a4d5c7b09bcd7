import { Bytes } from "@weft/sdk/assembly";
import { ALNUM, CANDIDATE, DIGIT, DOMAIN, IPV6, QUOTING, SIGN } from "./byte-class";
import { Findings } from "./findings";
import { HeapBuffer } from "./heap-buffer";
import { ibanBefore } from "./iban";
import { ipv6Before } from "./ipv6";
import { JsonLexer, Token } from "./json-lexer";
import { Kind, KIND_COUNT } from "./kinds";
import { IDLE, Literals } from "./literals";
import { domainEnd, localPartBefore } from "./mail";
import { cardBefore, ipv4Before, phoneBefore, ssnBefore } from "./numbers";
import { Rules } from "./rules";
import { Secret } from "./secret";

/**
 * The bytes that may be held back: the longest finding, an address of 64 + 1 + 255 bytes or a
 * literal of 256, and what has to be known of the text before it.
 */
const HELD_BYTES_MAX: i32 = 328;

/** The longest domain, and no address has a longer one. */
const DOMAIN_BYTES_MAX: i32 = 255;

/** The bytes at hand, where they are not those of the host: the ones held back and a piece. */
@lazy const joined = new HeapBuffer();

/** What goes on in their place. */
@lazy const output = new HeapBuffer();

/**
 * Looks at a body, piece by piece, and writes what goes on in place of each. Every byte is looked
 * at once; where a run of bytes ends that could be something, the functions of each kind look back
 * over a bounded number of them. What may yet become a finding is held back until it is decided,
 * so that it does not matter where a body is cut into pieces.
 */
@final
export class Scanner {
  /** Of the scanners put aside, the one before this one. */
  older: Scanner | null = null;

  private readonly rules: Rules;
  private readonly lexer: JsonLexer;
  private readonly coverer: Secret | null;
  /** These two, where the body is JSON. */
  private json: JsonLexer | null = null;
  private secret: Secret | null = null;
  private readonly held: StaticArray<u8> = new StaticArray<u8>(HELD_BYTES_MAX);
  private heldLength: i32 = 0;
  private readonly findings: Findings = new Findings();
  private readonly counts: StaticArray<u32> = new StaticArray<u32>(KIND_COUNT);

  /** The bytes at hand; places are counted from here. */
  private base: usize = 0;
  /** How far they are written. What lies before may still be looked back at. */
  private done: i32 = 0;
  /** Nobody looks back beyond this: a value that was covered lies there. */
  private low: i32 = 0;
  private isChanged: bool = false;
  /** The classes of the byte before. */
  private previous: u32 = 0;
  /** Where an address begins, and its domain, of which all was seen so far; -1 if there is none. */
  private mailStart: i32 = -1;
  private domainStart: i32 = -1;
  private literalState: u32 = IDLE;

  constructor(rules: Rules) {
    const replacer = rules.kinds.get(Kind.Field);
    this.rules = rules;
    this.lexer = new JsonLexer(rules.names);
    this.coverer = replacer == null ? null : new Secret(replacer);
  }

  /** Begins a body. */
  begin(isJson: bool): void {
    const coverer = this.coverer;
    this.lexer.reset();
    if (coverer != null) coverer.isOpen = false;
    this.json = isJson ? this.lexer : null;
    this.secret = isJson ? coverer : null;
    this.heldLength = 0;
    this.done = 0;
    this.low = 0;
    this.findings.count = 0;
    this.forget();
  }

  /** Whether bytes that have come have not gone on yet. */
  get holdsBack(): bool {
    return this.heldLength > this.done;
  }

  /** How often a kind was found since this was last asked. */
  takeCount(kind: Kind): u32 {
    const count = this.counts[kind];
    this.counts[kind] = 0;
    return count;
  }

  /**
   * Looks at the next piece, which is the last one at the end. Answers what goes on in its place,
   * until the next call; null if that is the piece itself.
   */
  scan(piece: Bytes, isEnd: bool): Bytes | null {
    const isWhole = this.done == this.heldLength;
    const from = this.heldLength;
    const length = this.take(piece);
    output.clear();
    this.isChanged = false;
    let at = from;
    const secret = this.secret;
    const json = this.json;
    if (json != null) json.resume(this.base + from);
    while (at < length) {
      if (secret != null && secret.isOpen) at = this.cover(secret, at, length);
      else at = this.look(at, length);
    }
    if (json != null) json.suspend(this.base + length);
    if (isEnd) this.finish(length);
    const limit = isEnd ? length : this.holdFrom(length);
    this.replaceUpTo(limit);
    const isSame = isWhole && !this.isChanged && limit == length;
    if (isSame) this.done = length;
    else this.writeUpTo(limit);
    this.hold(limit, length);
    return isSame || this.rules.isDryRun ? null : Bytes.view(output.start, <i32>output.length);
  }

  /** What the last piece was replaced by, with bytes behind it that are not looked at. */
  followedBy(rest: Bytes): Bytes {
    output.write(rest.start, rest.length);
    return Bytes.view(output.start, <i32>output.length);
  }

  /** Puts the piece behind what is held back, and answers how long both are. */
  private take(piece: Bytes): i32 {
    if (this.heldLength == 0) {
      this.base = piece.start;
      return piece.length;
    }
    joined.clear();
    joined.write(changetype<usize>(this.held), this.heldLength);
    joined.write(piece.start, piece.length);
    this.base = joined.start;
    return <i32>joined.length;
  }

  /** Looks from one place on to the end, or to where a value begins that is redacted as a whole. */
  private look(from: i32, length: i32): i32 {
    const classes = this.rules.classes;
    const literals = this.rules.literals;
    const json = this.json;
    const base = this.base;
    let previous = this.previous;
    let ends = this.ends;
    let isInText = json != null && json.isInText;
    for (let at = from; at < length; at++) {
      const byte: u32 = load<u8>(base + at);
      const bits: u32 = unchecked(classes[byte]);
      if ((previous & ~bits & ends) != 0) {
        this.end(previous & ~bits, bits, at, length);
        ends = this.ends;
      }
      previous = bits;
      if ((bits & SIGN) != 0) {
        this.lookForSign(byte, at);
        ends = this.ends;
      }
      if (json != null && (!isInText || (bits & QUOTING) != 0)) {
        const token = json.step(byte, base + at);
        if (token != Token.None) return this.openSecret(token, at);
        isInText = json.isInText;
      }
      if (literals != null) this.stepLiteral(literals, byte, at + 1);
    }
    this.previous = previous;
    return length;
  }

  /** The classes whose ends matter now. */
  private get ends(): u32 {
    return this.domainStart < 0 ? this.rules.ends : this.rules.ends | DOMAIN;
  }

  /** Something has ended before `at`: what was it? */
  private end(ended: u32, next: u32, at: i32, length: i32): void {
    const kinds = this.rules.kinds;
    const low = this.base + this.low;
    const end = this.base + at;
    if ((ended & DOMAIN) != 0 && this.domainStart >= 0) this.endMail(at);
    // A letter behind makes it a part of something else.
    if ((next & ALNUM) != 0) return;
    if ((ended & DIGIT) != 0) {
      if (kinds.has(Kind.Card)) this.foundCard(cardBefore(low, end), at, length);
      if (kinds.has(Kind.Ssn)) this.found(ssnBefore(low, end), at, Kind.Ssn);
      if (kinds.has(Kind.Ipv4)) this.found(ipv4Before(low, end), at, Kind.Ipv4);
      if (kinds.has(Kind.Phone)) this.found(phoneBefore(low, end), at, Kind.Phone);
    }
    if ((ended & ALNUM) != 0 && kinds.has(Kind.Iban)) {
      this.found(ibanBefore(low, end), at, Kind.Iban);
    }
    if ((ended & IPV6) != 0 && kinds.has(Kind.Ipv6)) {
      this.found(ipv6Before(low, end), at, Kind.Ipv6);
    }
  }

  /** Whether what is looked at stands in JSON outside a string. */
  private get isBare(): bool {
    const json = this.json;
    return json != null && !json.isInString;
  }

  private found(start: usize, end: i32, kind: Kind): void {
    if (start != 0) this.add(<i32>(start - this.base), end, kind, false);
  }

  /** A number of JSON is replaced as a whole or not at all: a sign or fraction is a part of it. */
  private foundCard(start: usize, end: i32, length: i32): void {
    if (start == 0) return;
    const isBare = this.isBare;
    if (isBare) {
      const before = start > this.base + this.low ? load<u8>(start - 1) : 0;
      const after = end < length ? load<u8>(this.base + end) : 0;
      if (before == 0x2d || before == 0x2e || after == 0x2e) return;
    }
    this.add(<i32>(start - this.base), end, Kind.Card, isBare);
  }

  private add(start: i32, end: i32, kind: Kind, isBare: bool): void {
    if (this.findings.isFull) this.replaceUpTo(this.holdFrom(end));
    this.findings.add(start, end, kind, isBare, this.done);
  }

  /** An @, or what it is in a form: %40. */
  private lookForSign(byte: u32, at: i32): void {
    let end = this.base + at;
    if (byte == 0x30) {
      if (at < this.low + 2 || load<u8>(end - 1) != 0x34 || load<u8>(end - 2) != 0x25) return;
      end -= 2;
    }
    const start = localPartBefore(this.rules.classes, this.base + this.low, end);
    if (start == end) return;
    this.mailStart = <i32>(start - this.base);
    this.domainStart = at + 1;
  }

  private endMail(at: i32): void {
    const start = this.domainStart;
    this.domainStart = -1;
    if (start < this.low || at - start > DOMAIN_BYTES_MAX) return;
    // Something else may stand between the sign and the run of letters that has ended.
    if ((this.rules.classes[load<u8>(this.base + start)] & <u8>DOMAIN) == 0) return;
    const end = domainEnd(this.base + start, this.base + at);
    if (end != 0) this.add(this.mailStart, <i32>(end - this.base), Kind.Email, false);
  }

  private stepLiteral(literals: Literals, byte: u32, end: i32): void {
    this.literalState = literals.step(this.literalState, byte);
    const length = literals.lengthAt(this.literalState);
    if (length > 0 && !this.isBare) this.add(end - length, end, Kind.Literal, false);
  }

  /** A value begins that is covered whatever it is; answers where to go on. */
  private openSecret(token: Token, at: i32): i32 {
    const secret = this.secret;
    const start = token == Token.SecretString ? at + 1 : at;
    this.forget();
    this.replaceUpTo(start);
    this.writeUpTo(start);
    if (secret != null) secret.open(token == Token.SecretString);
    return start;
  }

  /** Covers a value as far as it goes, and answers where to go on: behind the quote, if any. */
  private cover(secret: Secret, from: i32, length: i32): i32 {
    const at = secret.cover(output, this.base, from, length);
    this.done = at;
    this.isChanged = true;
    if (secret.isOpen) return at;
    if (secret.wasCovered) this.counts[Kind.Field]++;
    this.low = at;
    return secret.isString ? at + 1 : at;
  }

  /** Nothing that was seen so far is the beginning of anything. */
  private forget(): void {
    this.previous = 0;
    this.domainStart = -1;
    this.literalState = IDLE;
  }

  private finish(length: i32): void {
    const secret = this.secret;
    if (secret != null && secret.isOpen) {
      secret.close(output);
      this.isChanged = true;
      if (secret.wasCovered) this.counts[Kind.Field]++;
    } else if ((this.previous & this.ends) != 0) this.end(this.previous, 0, length, length);
    this.forget();
  }

  /** From where on bytes are held back: they may be the beginning of a finding. */
  private holdFrom(length: i32): i32 {
    const secret = this.secret;
    if (secret != null && secret.isOpen) return length;
    const classes = this.rules.classes;
    const least = max(length - HELD_BYTES_MAX, this.low);
    let at = length;
    while (at > least && (unchecked(classes[load<u8>(this.base + at - 1)]) & CANDIDATE) != 0) at--;
    const literals = this.rules.literals;
    return literals == null ? at : min(at, length - literals.depthOf(this.literalState));
  }

  /** Writes the findings that begin before `limit`, each with what stands before it. */
  private replaceUpTo(limit: i32): void {
    const findings = this.findings;
    let i = 0;
    for (; i < findings.count && findings.startOf(i) < limit; i++) {
      const start = findings.startOf(i);
      const end = findings.endOf(i);
      const kind = findings.kindOf(i);
      this.counts[kind]++;
      this.isChanged = true;
      this.writeUpTo(start);
      this.done = end;
      const replacer = this.rules.kinds.get(kind);
      if (replacer == null || this.rules.isDryRun) continue;
      replacer.write(output, this.base + start, end - start, findings.isBare(i));
    }
    findings.advance(i, 0);
  }

  /** Writes what stands as it is. */
  private writeUpTo(limit: i32): void {
    if (limit <= this.done) return;
    if (!this.rules.isDryRun) output.write(this.base + this.done, limit - this.done);
    this.done = limit;
  }

  /** Keeps what is held back for the next piece. */
  private hold(from: i32, length: i32): void {
    memory.copy(changetype<usize>(this.held), this.base + from, length - from);
    this.heldLength = length - from;
    this.done -= from;
    this.low = max(this.low - from, 0);
    this.mailStart -= from;
    if (this.domainStart >= 0) this.domainStart -= from;
    this.findings.advance(0, from);
    joined.clear();
  }
}
