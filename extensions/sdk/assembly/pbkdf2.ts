// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { room } from "./room";
import {
  begin, block, BLOCK_BYTES, DIGEST_BYTES, digestBlock, finish, padOf, state, turn, update,
} from "./sha256";
import { textLength, textStart } from "./text";

// PBKDF2 (RFC 8018 §5.2) with HMAC-SHA256, as far as passwords need it: one block of 32 bytes.

/** The state of SHA-256 once the inner or the outer pad has gone by: it is the same each time. */
@lazy const inner = memory.data(DIGEST_BYTES, 8);
@lazy const outer = memory.data(DIGEST_BYTES, 8);

/** The digests of all rounds, one over the other. */
@lazy const mixed = memory.data(DIGEST_BYTES, 8);

/**
 * The key of 32 bytes that a password gives, which lives until the callback ends. Each round takes
 * two blocks of SHA-256, about a microsecond, and Envoy's worker does nothing else meanwhile.
 */
export function pbkdf2Sha256<P, S>(password: P, salt: S, rounds: u32): Bytes {
  const passwordStart = textStart<P>(password);
  const passwordLength = textLength();
  const saltStart = textStart<S>(salt);
  const saltLength = textLength();
  const pad = padOf(passwordStart, passwordLength);
  const key = room(DIGEST_BYTES);
  if (pad.isEmpty || key.isEmpty) return key;
  remember(pad, inner);
  turn(pad);
  remember(pad, outer);
  firstRound(pad, saltStart, saltLength);
  memory.copy(mixed, state, DIGEST_BYTES);
  for (let round: u32 = 1; round < rounds; round++) {
    nextRound();
    for (let i = 0; i < DIGEST_BYTES; i += 8) {
      store<u64>(mixed + i, load<u64>(mixed + i) ^ load<u64>(state + i));
    }
  }
  for (let i = 0; i < DIGEST_BYTES; i += 4) {
    store<u32>(key.start + i, bswap<u32>(load<u32>(mixed + i)));
  }
  return key;
}

function remember(pad: Bytes, to: usize): void {
  begin();
  update(pad.start, BLOCK_BYTES);
  memory.copy(to, state, DIGEST_BYTES);
}

/** HMAC of the salt and the number of the block, 1. Leaves its words in the state. */
function firstRound(pad: Bytes, salt: usize, saltLength: i32): void {
  const number = room(4);
  if (number.isEmpty) return;
  store<u32>(number.start, bswap<u32>(1));
  turn(pad);
  begin();
  update(pad.start, BLOCK_BYTES);
  update(salt, saltLength);
  update(number.start, 4);
  finish();
  digestBehind(outer);
}

/** HMAC of the digest in the state, which its own takes the place of. */
function nextRound(): void {
  digestBehind(inner);
  digestBehind(outer);
}

/** Hashes the digest in the state behind a pad: one block, of 96 bytes in all. */
function digestBehind(pad: usize): void {
  for (let i = 0; i < DIGEST_BYTES; i += 4) {
    store<u32>(block + i, bswap<u32>(load<u32>(state + i)));
  }
  memory.fill(block + DIGEST_BYTES, 0, BLOCK_BYTES - DIGEST_BYTES);
  store<u8>(block, 0x80, DIGEST_BYTES);
  store<u64>(block, bswap<u64>(8 * (BLOCK_BYTES + DIGEST_BYTES)), BLOCK_BYTES - 8);
  memory.copy(state, pad, DIGEST_BYTES);
  digestBlock();
}
