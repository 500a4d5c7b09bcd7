/** A protobuf message without its schema, as far as foreign functions ask for it. */
export interface Message {
  /** Fields of text or bytes, by number; of repeated ones the last. */
  readonly texts: ReadonlyMap<number, string>;
  readonly numbers: ReadonlyMap<number, number>;
}

const [VARINT, BYTES] = [0, 2];

/** Reads a message of texts, bytes and numbers; null if it is none. */
export function readMessage(bytes: Uint8Array): Message | null {
  const texts = new Map<number, string>();
  const numbers = new Map<number, number>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    const value = varint();
    if (Number.isNaN(value) || field === 0) return null;
    if (wire === VARINT) numbers.set(field, value);
    else if (wire === BYTES && at + value <= bytes.length) {
      texts.set(field, Buffer.from(bytes.subarray(at, at + value)).toString());
      at += value;
    } else return null;
  }
  return { texts, numbers };
}
