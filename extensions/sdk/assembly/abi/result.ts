import { Bytes } from "../bytes";

/** Where hostcalls write: two words, valid until the next hostcall. */
const words = memory.data(8, 4);

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

/** The first result, as a number. */
@inline
export function firstWord(): u32 {
  return load<u32>(words);
}

/** Both results, as the address and length of a buffer the host has just allocated here. */
export function bufferOut(): Bytes {
  return Bytes.view(load<u32>(words), load<u32>(words, sizeof<u32>()));
}
