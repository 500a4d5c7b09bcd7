// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "../bytes";

/** Where hostcalls write: three words, valid until the next hostcall; the first two are aligned. */
const words = memory.data(16, 8);

/** The address to pass where a hostcall wants to write its first (or only) result. */
@inline
export function firstOut(): usize {
  return words;
}

/** The address to pass where a hostcall wants to write its second result. */
@inline
export function secondOut(): usize {
  return words + sizeof<u32>();
}

/** The address to pass where a hostcall wants to write its third result. */
@inline
export function thirdOut(): usize {
  return words + 2 * sizeof<u32>();
}

/** The first result, as a number. */
@inline
export function firstWord(): u32 {
  return load<u32>(words);
}

/** The third result, as a number. */
@inline
export function thirdWord(): u32 {
  return load<u32>(words, 2 * sizeof<u32>());
}

/** The first result, where it is eight bytes long. */
@inline
export function firstLong(): u64 {
  return load<u64>(words);
}

/** The first two results, as the address and length of a buffer the host has just put here. */
export function bufferOut(): Bytes {
  return Bytes.view(load<u32>(words), load<u32>(words, sizeof<u32>()));
}

/** As `bufferOut`, where the address comes second: after a number that is the first result. */
export function secondBufferOut(): Bytes {
  return Bytes.view(load<u32>(words, 4), load<u32>(words, 8));
}
