import type { Memory } from "./webassembly.ts";

/**
 * The memory of a plugin, seen from the host. Addresses come out of WebAssembly as signed numbers,
 * and views die whenever the memory grows: every access here makes both right again.
 */
export interface GuestMemory {
  /** A copy of what lies at an address. */
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
  writeU32(address: number, value: number): void;
  readonly pages: number;
}

const PAGE_BYTES = 65_536;

export function guestMemory(memory: Memory): GuestMemory {
  return {
    read: (address, length) => new Uint8Array(memory.buffer, address >>> 0, length >>> 0).slice(),
    write: (address, bytes) =>
      new Uint8Array(memory.buffer, address >>> 0, bytes.byteLength).set(bytes),
    writeU32: (address, value) => new DataView(memory.buffer).setUint32(address >>> 0, value, true),
    get pages() {
      return memory.buffer.byteLength / PAGE_BYTES;
    },
  };
}
