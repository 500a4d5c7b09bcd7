// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { allocate, giveBack } from "./arena";
import { Bytes } from "./bytes";
import { encodeText, UNIT_BYTES_MAX } from "./utf8";

// Every text that an API takes is `Bytes` or a string. The host wants UTF-8; a string is UTF-16.
// The transform puts the UTF-8 of a literal behind its UTF-16 and marks the string, so that a
// literal costs nothing here. Any other string is encoded into the arena on each call.

/** In front of a string, as of every object: the word of the memory manager. */
const MANAGER_WORD: usize = 20;

/** In front of a string, as of every object: its length in bytes of UTF-16. */
const SIZE_WORD: usize = 4;

/** Set in the manager's word of a literal with UTF-8; the bits below it hold its length. */
const LITERAL_BIT: u32 = 0x8000_0000;

let measured: i32 = 0;

/** Where the UTF-8 of a text begins; its length is then in `textLength`, until the next text. */
@inline
export function textStart<T>(text: T): usize {
  if (!isReference<T>()) ERROR("expected Bytes or a string");
  else if (!isString<T>() && idof<T>() != idof<Bytes>()) ERROR("expected Bytes or a string");
  if (isNullable<T>() && changetype<usize>(text) == 0) return nothing();
  if (isString<T>()) return stringStart(changetype<string>(text));
  const bytes = changetype<Bytes>(text);
  measured = bytes.length;
  return bytes.start;
}

/** The length in bytes of the text that `textStart` was last asked for. */
@inline
export function textLength(): i32 {
  return measured;
}

/** What may be null, and is, is an empty text. */
function nothing(): usize {
  measured = 0;
  return 0;
}

/** Whether the UTF-8 of a string lies behind it, for good. */
@inline
export function isLiteral(text: string): bool {
  return (load<u32>(changetype<usize>(text) - MANAGER_WORD) & LITERAL_BIT) != 0;
}

function stringStart(text: string): usize {
  const address = changetype<usize>(text);
  if (isLiteral(text)) {
    measured = load<u32>(address - MANAGER_WORD) & ~LITERAL_BIT;
    return address + load<u32>(address - SIZE_WORD);
  }
  const at = allocate(UNIT_BYTES_MAX * text.length);
  measured = at == 0 ? 0 : encodeText(address, text.length, at);
  giveBack(at + measured);
  return at;
}
