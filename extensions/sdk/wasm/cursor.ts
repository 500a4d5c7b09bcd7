// Reading the binary format byte by byte (WebAssembly core specification, "Binary Format").

/** A module's bytes are not what the format says; the message tells where, as does `offset`. */
export class WasmError extends Error {
  override readonly name = "WasmError";
  /** Bytes into the module. */
  readonly offset: number;
  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.offset = offset;
  }
}

/** A place in the bytes of a module, up to an end that it may not pass. */
export interface Cursor {
  readonly wasm: Uint8Array;
  at: number;
  readonly end: number;
}

/** C++ symbols grow long, but not that long. */
const NAME_BYTES_MAX = 4_096;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isAtEnd({ at, end }: Cursor): boolean {
  return at >= end;
}

export function byte(cursor: Cursor): number {
  if (cursor.at >= cursor.end) throw new WasmError("bytes are missing", cursor.end);
  return cursor.wasm[cursor.at++] as number;
}

/** Passes over so many bytes, and answers where they begin. */
export function skip(cursor: Cursor, length: number): number {
  const start = cursor.at;
  if (length > cursor.end - start) {
    const missing = `${length - (cursor.end - start)} of ${length} bytes are missing`;
    throw new WasmError(missing, cursor.end);
  }
  cursor.at = start + length;
  return start;
}

/** An unsigned number of 32 bits. */
export function u32(cursor: Cursor): number {
  const start = cursor.at;
  let value = 0;
  for (let scale = 1; scale <= 2 ** 28; scale *= 0x80) {
    const next = byte(cursor);
    value += (next & 0x7f) * scale;
    if (next < 0x80) {
      if (value > 0xffff_ffff) break;
      return value;
    }
  }
  throw new WasmError("a number of more than 32 bits", start);
}

/** A signed number of so many bits, up to 64. */
export function signed(cursor: Cursor, bits: number): bigint {
  const start = cursor.at;
  let value = 0n;
  for (let shift = 0; shift < bits; shift += 7) {
    const next = byte(cursor);
    value |= BigInt(next & 0x7f) << BigInt(shift);
    if (next >= 0x80) continue;
    const whole = BigInt.asIntN(shift + 7, value);
    if (BigInt.asIntN(bits, whole) !== whole) break;
    return whole;
  }
  throw new WasmError(`a number of more than ${bits} bits`, start);
}

/** Four bytes, the lowest first. */
export function fixed32(cursor: Cursor): number {
  const start = skip(cursor, 4);
  return new DataView(cursor.wasm.buffer, cursor.wasm.byteOffset + start, 4).getUint32(0, true);
}

export function name(cursor: Cursor): string {
  const start = cursor.at;
  const length = u32(cursor);
  if (length > NAME_BYTES_MAX) {
    throw new WasmError(`a name of ${length} bytes, more than ${NAME_BYTES_MAX},`, start);
  }
  const from = skip(cursor, length);
  try {
    return utf8.decode(cursor.wasm.subarray(from, cursor.at));
  } catch {
    throw new WasmError("a name that is not UTF-8", from);
  }
}

/** The next bytes as a cursor of their own. */
export function part(cursor: Cursor, length: number): Cursor {
  const at = skip(cursor, length);
  return { wasm: cursor.wasm, at, end: cursor.at };
}

/** Reads a count, and that many entries. Each takes a byte at least, so the count has a bound. */
export function entries<T>(cursor: Cursor, read: (cursor: Cursor) => T): T[] {
  const start = cursor.at;
  const count = u32(cursor);
  if (count > cursor.end - cursor.at) {
    throw new WasmError(`${count} entries, more than there are bytes,`, start);
  }
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(read(cursor));
  return all;
}
