import { textLength, textStart } from "./text";

/** FNV-1a of 32 bits: its first state and its multiplier. */
const FNV_OFFSET: u32 = 2_166_136_261;
const FNV_PRIME: u32 = 16_777_619;

/**
 * Thirty-two bits of a text that are equal for equal texts in every VM, and even for texts that
 * hardly differ far apart: `hash32(user) % 100 < percent`. Not for secrets: see `sha256`.
 */
export function hash32<T>(text: T, seed: u32 = 0): u32 {
  const from = textStart<T>(text);
  const length = textLength();
  let hash = FNV_OFFSET ^ seed;
  for (let i = 0; i < length; i++) hash = (hash ^ load<u8>(from + i)) * FNV_PRIME;
  // FNV leaves the low bits of short texts alike; this is how MurmurHash3 ends.
  hash = (hash ^ (hash >>> 16)) * 0x85eb_ca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2_ae35;
  return hash ^ (hash >>> 16);
}
