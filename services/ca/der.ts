import { assert, WeftError } from "@weft/core/error";

/** Identifier octets that certificates and requests are made of (X.690, 8.1.2). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const CLASS_MASK = 0xc0;
const NUMBER_MASK = 0x1f;

/** Levels of a request: names and extensions need eight; more is only there to exhaust us. */
const DEPTH_MAX = 16;

/** One element, a view of the bytes it was read from. */
export interface Element {
  readonly tag: number;
  /** Identifier, length and content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

/**
 * Reads bytes that must be exactly one element in DER, and all that is in it: definite and minimal
 * lengths, no constructed strings, minimal integers, sorted sets, nothing behind the end. So there is
 * one reading of the bytes, and whoever else parses them sees the same.
 *
 * @throws WeftError invalid `ca.bad_csr`
 */
export function readDer(bytes: Uint8Array): Element {
  const element = elementAt(bytes, 0);
  if (element.bytes.length !== bytes.length) throw notDer("bytes behind the end");
  checkElement(element, 0);
  return element;
}

/** The elements inside a constructed one that `readDer` has checked. */
export function childrenOf(parent: Element): readonly Element[] {
  const children: Element[] = [];
  for (let at = 0; at < parent.content.length; ) {
    const child = elementAt(parent.content, at);
    children.push(child);
    at += child.bytes.length;
  }
  return children;
}

function elementAt(bytes: Uint8Array, start: number): Element {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw notDer("cut off");
  if ((tag & NUMBER_MASK) === NUMBER_MASK) throw notDer("a tag of several bytes");
  let length = first;
  let at = start + 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0) throw notDer("an indefinite length");
    if (count > 2) throw notDer("a length of more than 64 KiB");
    length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + (bytes[at++] ?? 0);
    if (length < 0x80 || (count === 2 && length < 0x100))
      throw notDer("a length that is not minimal");
  }
  if (at + length > bytes.length) throw notDer("cut off");
  return {
    tag,
    bytes: bytes.subarray(start, at + length),
    content: bytes.subarray(at, at + length),
  };
}

function checkElement(element: Element, depth: number): void {
  if (depth === DEPTH_MAX) throw notDer(`more than ${DEPTH_MAX} levels`);
  if ((element.tag & CLASS_MASK) === 0) checkUniversal(element);
  if ((element.tag & CONSTRUCTED) === 0) return;
  for (const child of childrenOf(element)) checkElement(child, depth + 1);
}

function checkUniversal(element: Element): void {
  const { tag, content } = element;
  const holdsOthers = (tag | CONSTRUCTED) === TAG.sequence || (tag | CONSTRUCTED) === TAG.set;
  if (holdsOthers !== ((tag & CONSTRUCTED) !== 0)) throw notDer("a string in pieces");
  if (tag === 0) throw notDer("an end-of-contents mark");
  // Strings and times without a rule are bytes to us: names and attributes are not read.
  CHECKS[tag]?.(content, element);
}

const CHECKS: Readonly<Record<number, (content: Uint8Array, element: Element) => void>> = {
  [TAG.boolean]: checkBoolean,
  [TAG.integer]: checkInteger,
  [TAG.bitString]: checkBitString,
  [TAG.null]: checkNull,
  [TAG.oid]: checkOid,
  [TAG.set]: (_, element) => checkSorted(childrenOf(element)),
};

function checkBoolean(content: Uint8Array): void {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    throw notDer("a boolean that is neither 0 nor 255");
  }
}

function checkNull(content: Uint8Array): void {
  if (content.length > 0) throw notDer("a null with content");
}

/** The elements of a SET OF come in the order of their bytes (X.690, 11.6). */
export function checkSorted(elements: readonly Element[]): void {
  for (const [index, { bytes }] of elements.entries()) {
    const before = elements[index - 1];
    if (before !== undefined && Buffer.compare(before.bytes, bytes) > 0) {
      throw notDer("a set out of order");
    }
  }
}

function checkInteger(content: Uint8Array): void {
  const [first, second] = content;
  if (first === undefined) throw notDer("an integer without digits");
  if (second === undefined) return;
  if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)) {
    throw notDer("an integer that is not minimal");
  }
}

function checkBitString(content: Uint8Array): void {
  const unused = content[0];
  if (unused === undefined || unused > 7 || (unused > 0 && content.length === 1)) {
    throw notDer("a bit string without its count of unused bits");
  }
  const last = content[content.length - 1] ?? 0;
  if ((last & ((1 << unused) - 1)) !== 0 && content.length > 1) {
    throw notDer("a bit string with unused bits that are set");
  }
}

function checkOid(content: Uint8Array): void {
  const last = content[content.length - 1];
  if (last === undefined || last >= 0x80) throw notDer("an object identifier that does not end");
  for (const [index, byte] of content.entries()) {
    const starts = index === 0 || (content[index - 1] ?? 0) < 0x80;
    if (starts && byte === 0x80) throw notDer("an object identifier that is not minimal");
  }
}

function notDer(why: string): WeftError {
  return new WeftError("invalid", "ca.bad_csr", `the request is not DER: ${why}`);
}

/** Writes one element around its content. */
export function writeDer(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...content]);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  assert(length < 0x10000, "all that is written is shorter than 64 KiB");
  return [0x82, length >> 8, length & 0xff];
}

/** An object identifier from its dotted text. */
export function writeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return writeDer(TAG.oid, Buffer.from(octets));
}

/** A bit string of whole bytes, or with the unused low bits of the last byte named. */
export function writeBitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return writeDer(TAG.bitString, Buffer.of(unusedBits), bytes);
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on, to the second (RFC 5280, 4.1.2.5). */
export function writeTime(atMs: number): Buffer {
  // "2030-01-02T03:04:05.000Z" without separators and milliseconds.
  const digits = new Date(atMs).toISOString().replace(/[-:T]|\.\d+Z$/g, "");
  return digits < "2050"
    ? writeDer(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`, "latin1"))
    : writeDer(TAG.generalizedTime, Buffer.from(`${digits}Z`, "latin1"));
}
