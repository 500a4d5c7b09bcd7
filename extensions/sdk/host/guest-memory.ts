import type { Memory } from "./webassembly.ts";

/**
 * The memory of a plugin, seen from the host. Addresses come out of WebAssembly as signed numbers,
 * and views die whenever the memory grows: every access here makes both right again. What lies
 * outside throws OutOfBounds.
 */
export interface GuestMemory {
  /** A copy of what lies at an address. */
  read(address: number, length: number): Uint8Array;
  readText(address: number, length: number): string;
  readU32(address: number): number;
  write(address: number, bytes: Uint8Array): void;
  writeU32(address: number, value: number): void;
  writeU64(address: number, value: bigint): void;
  readonly pages: number;
}

/** A hostcall was given an address that the plugin does not have. */
export class OutOfBounds extends Error {}

const PAGE_BYTES = 65_536;

/** `onCopy` is told the bytes of each `read`, `readText` and `write`. */
export function guestMemory(memory: Memory, onCopy: (bytes: number) => void): GuestMemory {
  let all = Buffer.from(memory.buffer);
  // To ask for the buffer costs more than to see that the one at hand is detached.
  const current = () => {
    if (all.byteLength === 0) all = Buffer.from(memory.buffer);
    return all;
  };
  /** Where something of that length begins. */
  const place = (address: number, length: number): number => {
    const [start, size] = [address >>> 0, length >>> 0];
    if (start + size > current().byteLength) throw new OutOfBounds(`${start}+${size}`);
    return start;
  };
  /** As place, of what is copied. */
  const copied = (address: number, length: number): number => {
    const start = place(address, length);
    onCopy(length >>> 0);
    return start;
  };
  return {
    read: (address, length) => {
      const start = copied(address, length);
      return new Uint8Array(current().subarray(start, start + (length >>> 0)));
    },
    readText: (address, length) => {
      const start = copied(address, length);
      return current().toString("utf8", start, start + (length >>> 0));
    },
    readU32: (address) => current().readUInt32LE(place(address, 4)),
    write: (address, bytes) => current().set(bytes, copied(address, bytes.byteLength)),
    writeU32: (address, value) => {
      current().writeUInt32LE(value >>> 0, place(address, 4));
    },
    writeU64: (address, value) => {
      current().writeBigUInt64LE(value, place(address, 8));
    },
    get pages() {
      return current().byteLength / PAGE_BYTES;
    },
  };
}
