// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Bytes } from "./bytes";
import { room } from "./room";
import { textLength, textStart } from "./text";

// SHA-256 (FIPS 180-4) and HMAC (RFC 2104). Words are big-endian on the wire.

export const BLOCK_BYTES: i32 = 64;
export const DIGEST_BYTES: i32 = 32;

/** The first 32 bits of the fractions of the cube roots of the first 64 primes. */
@lazy const ROUNDS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** The first 32 bits of the fractions of the square roots of the first 8 primes. */
@lazy const FIRST_STATE = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** What is hashed at the moment: eight words of state, sixty-four of schedule, a block to fill. */
@lazy export const state = memory.data(DIGEST_BYTES, 8);
@lazy const schedule = memory.data(4 * BLOCK_BYTES, 8);
@lazy export const block = memory.data(BLOCK_BYTES, 8);

let total: u64 = 0;

/** The SHA-256 of a text: 32 bytes that live until the callback ends. */
export function sha256<T>(text: T): Bytes {
  const from = textStart<T>(text);
  const length = textLength();
  begin();
  update(from, length);
  return finish();
}

/** The HMAC of a text by SHA-256: 32 bytes that live until the callback ends. */
export function hmacSha256<K, T>(key: K, text: T): Bytes {
  const keyStart = textStart<K>(key);
  const keyLength = textLength();
  const from = textStart<T>(text);
  const length = textLength();
  const pad = padOf(keyStart, keyLength);
  if (pad.isEmpty) return pad;
  begin();
  update(pad.start, BLOCK_BYTES);
  update(from, length);
  const inner = finish();
  turn(pad);
  begin();
  update(pad.start, BLOCK_BYTES);
  update(inner.start, DIGEST_BYTES);
  return finish();
}

/** A key as HMAC begins with it: a block long, under the inner mask. */
export function padOf(key: usize, length: i32): Bytes {
  const pad = room(BLOCK_BYTES);
  if (pad.isEmpty) return pad;
  memory.fill(pad.start, 0, BLOCK_BYTES);
  if (length <= BLOCK_BYTES) memory.copy(pad.start, key, length);
  else {
    begin();
    update(key, length);
    memory.copy(pad.start, finish().start, DIGEST_BYTES);
  }
  mask(pad, 0x36);
  return pad;
}

/** Takes the inner mask off and puts the outer one on. */
export function turn(pad: Bytes): void {
  mask(pad, 0x36 ^ 0x5c);
}

function mask(pad: Bytes, by: u8): void {
  for (let i = 0; i < BLOCK_BYTES; i++) store<u8>(pad.start + i, load<u8>(pad.start + i) ^ by);
}

export function begin(): void {
  memory.copy(state, FIRST_STATE, DIGEST_BYTES);
  total = 0;
}

export function update(from: usize, length: i32): void {
  let filled = <i32>(total % BLOCK_BYTES);
  let at = 0;
  total += length;
  while (at < length) {
    const taken = min(BLOCK_BYTES - filled, length - at);
    memory.copy(block + filled, from + at, taken);
    at += taken;
    filled += taken;
    if (filled < BLOCK_BYTES) return;
    digestBlock();
    filled = 0;
  }
}

/** Ends with a bit, zeros, and the length in bits at the end of a block. */
export function finish(): Bytes {
  const filled = <i32>(total % BLOCK_BYTES);
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, BLOCK_BYTES - filled - 1);
  if (filled >= BLOCK_BYTES - 8) {
    digestBlock();
    memory.fill(block, 0, BLOCK_BYTES);
  }
  store<u64>(block, bswap<u64>(8 * total), BLOCK_BYTES - 8);
  digestBlock();
  const digest = room(DIGEST_BYTES);
  if (digest.isEmpty) return digest;
  for (let i = 0; i < DIGEST_BYTES; i += 4) {
    store<u32>(digest.start + i, bswap<u32>(load<u32>(state + i)));
  }
  return digest;
}

export function digestBlock(): void {
  for (let i = 0; i < 64; i += 4) store<u32>(schedule + i, bswap<u32>(load<u32>(block + i)));
  for (let i = 64; i < 256; i += 4) {
    const at = schedule + i;
    const near = load<u32>(at - 8);
    const far = load<u32>(at - 60);
    const nearMixed = rotr<u32>(near, 17) ^ rotr<u32>(near, 19) ^ (near >>> 10);
    const farMixed = rotr<u32>(far, 7) ^ rotr<u32>(far, 18) ^ (far >>> 3);
    store<u32>(at, nearMixed + load<u32>(at - 28) + farMixed + load<u32>(at - 64));
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i = 0; i < 256; i += 4) {
    const mixedE = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const first = h + mixedE + chosen + load<u32>(ROUNDS + i) + load<u32>(schedule + i);
    const mixedA = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + mixedA + majority;
  }
  add(0, a);
  add(4, b);
  add(8, c);
  add(12, d);
  add(16, e);
  add(20, f);
  add(24, g);
  add(28, h);
}

@inline
function add(at: usize, word: u32): void {
  store<u32>(state + at, load<u32>(state + at) + word);
}
