import fc from "fast-check";
import { expect, test } from "vitest";
import {
  childrenOf,
  type Element,
  readDer,
  TAG,
  writeBitString,
  writeDer,
  writeOid,
} from "./der.ts";

type Tree = Uint8Array | readonly Tree[];

/** Octet strings in sequences, as deep as a request goes. */
const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 8, depthSize: "small" },
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("tree"), { maxLength: 4 }),
  ),
})).tree;

function write(value: Tree): Buffer {
  return value instanceof Uint8Array
    ? writeDer(TAG.octetString, value)
    : writeDer(TAG.sequence, ...value.map(write));
}

function read(element: Element): Tree {
  return element.tag === TAG.sequence
    ? childrenOf(element).map(read)
    : Uint8Array.from(element.content);
}

test("what is written is read as it was, and in no second form", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const der = write(value);
      const element = readDer(der);
      expect(read(element)).toEqual(value);
      expect(Buffer.from(element.bytes)).toEqual(der);
    }),
  );
});

test("object identifiers are written as X.690 says", () => {
  expect(writeOid("1.2.840.113549.1.1.11").toString("hex")).toBe("06092a864886f70d01010b");
  expect(writeOid("2.5.29.17").toString("hex")).toBe("0603551d11");
  expect(writeOid("1.3.132.0.34").toString("hex")).toBe("06052b81040022");
});

test.each([
  ["", "cut off"],
  ["30", "cut off"],
  ["040200", "cut off"],
  ["3003040200", "cut off"],
  ["04010000", "bytes behind the end"],
  ["1f810100", "a tag of several bytes"],
  ["0000", "an end-of-contents mark"],
  ["30800000", "an indefinite length"],
  ["0483000001ff", "a length of more than 64 KiB"],
  ["048101ff", "a length that is not minimal"],
  ["04820001ff", "a length that is not minimal"],
  ["010101", "a boolean that is neither 0 nor 255"],
  ["0200", "an integer without digits"],
  ["0202007f", "an integer that is not minimal"],
  ["0202ff80", "an integer that is not minimal"],
  ["0300", "a bit string without its count of unused bits"],
  ["03020800", "a bit string without its count of unused bits"],
  ["030101", "a bit string without its count of unused bits"],
  ["03020101", "a bit string with unused bits that are set"],
  ["2300", "a string in pieces"],
  ["1000", "a string in pieces"],
  ["050100", "a null with content"],
  ["0600", "an object identifier that does not end"],
  ["060181", "an object identifier that does not end"],
  ["06032a8001", "an object identifier that is not minimal"],
  ["3106020102020101", "a set out of order"],
])("%s is refused: %s", (hex, why) => {
  expect(() => readDer(Buffer.from(hex, "hex"))).toThrow(
    `ca.bad_csr: the request is not DER: ${why}`,
  );
});

test.each([
  ["a long length where it is needed", `0481${"80"}${"00".repeat(128)}`],
  ["zero", "020100"],
  ["a negative integer", "0201ff"],
  ["an integer that needs its zero", "02020080"],
  ["a sorted set", "3106020101020102"],
  ["an empty bit string", "030100"],
])("%s is taken", (_, hex) => {
  expect(Buffer.from(readDer(Buffer.from(hex, "hex")).bytes).toString("hex")).toBe(hex);
});

test("a bit string is written with its unused bits", () => {
  expect(writeBitString(Buffer.of(0x80), 7).toString("hex")).toBe("03020780");
});
