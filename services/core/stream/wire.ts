import { WeftError } from "../error.ts";

/** The wire types of protobuf that are still written (encoding.md). */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of an encoded message: a number, or bytes that share the message's memory. */
export interface WireField {
  readonly number: number;
  readonly varint: number;
  readonly bytes: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Calls back with each field of an encoded message. Only what discovery requests need: fixed-width
 * fields are passed over, varints are read up to 2^53.
 *
 * @throws WeftError invalid `xds.bad_request` for bytes that are no message.
 */
export function eachField(message: Buffer, visit: (field: WireField) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw broken();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const skip = (length: number): number => {
    const start = at;
    at += length;
    if (at > message.length) throw broken();
    return start;
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case WIRE.varint:
        visit({ number, varint: varint(), bytes: NO_BYTES });
        break;
      case WIRE.bytes: {
        const length = varint();
        const start = skip(length);
        visit({ number, varint: 0, bytes: message.subarray(start, at) });
        break;
      }
      case WIRE.fixed64:
        skip(8);
        break;
      case WIRE.fixed32:
        skip(4);
        break;
      default:
        throw broken();
    }
  }
}

/** A length-delimited field: tag, length, then the parts one after another. */
export function bytesField(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varintBytes(number * 8 + WIRE.bytes), varintBytes(length), ...parts]);
}

/** A string field; empty strings are written too. */
export function stringField(number: number, value: string): Buffer {
  return bytesField(number, Buffer.from(value));
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function broken(): WeftError {
  return new WeftError("invalid", "xds.bad_request", "the message is not protobuf");
}
