import type { Memory } from "./webassembly.ts";

/**
 * The memory of a plugin, seen from the host. Addresses come out of WebAssembly as signed numbers,
 * and views die whenever the memory grows: every access here makes both right again. What lies
 * outside throws OutOfBounds.
 */
export interface GuestMemory {
  /** A copy of what lies at an address. */
  read(address: number, length: number): Uint8Array;
  readU32(address: number): number;
  write(address: number, bytes: Uint8Array): void;
  writeU32(address: number, value: number): void;
  writeU64(address: number, value: bigint): void;
  readonly pages: number;
}

/** A hostcall was given an address that the plugin does not have. */
export class OutOfBounds extends Error {}

const PAGE_BYTES = 65_536;

/** `onCopy` is told the bytes of each `read` and `write`. */
export function guestMemory(memory: Memory, onCopy: (bytes: number) => void): GuestMemory {
  let { buffer } = memory;
  // To ask for the buffer costs more than to see that the one at hand is detached.
  const current = () => {
    if (buffer.byteLength === 0) buffer = memory.buffer;
    return buffer;
  };
  const view = (address: number, length: number): DataView<ArrayBuffer> => {
    const [start, size] = [address >>> 0, length >>> 0];
    if (start + size > current().byteLength) throw new OutOfBounds(`${start}+${size}`);
    return new DataView(buffer, start, size);
  };
  const bytesAt = (address: number, length: number): Uint8Array => {
    const { byteOffset, byteLength } = view(address, length);
    onCopy(byteLength);
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  return {
    read: (address, length) => bytesAt(address, length).slice(),
    readU32: (address) => view(address, 4).getUint32(0, true),
    write: (address, bytes) => bytesAt(address, bytes.byteLength).set(bytes),
    writeU32: (address, value) => view(address, 4).setUint32(0, value, true),
    writeU64: (address, value) => view(address, 8).setBigUint64(0, value, true),
    get pages() {
      return current().byteLength / PAGE_BYTES;
    },
  };
}
