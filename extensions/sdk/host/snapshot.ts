import { type Instance, type MutableGlobal, memoryOf } from "./webassembly.ts";

/**
 * A VM's memory and its mutable globals. What a plugin puts into tables as it runs is not there,
 * nor are vectors in globals; no toolchain of plugins does either.
 */
export interface Snapshot {
  readonly memory: Uint8Array;
  readonly globals: ReadonlyMap<string, unknown>;
}

/** Copies the memory, and the globals that are exported under these names. */
export function takeSnapshot(instance: Instance, globals: readonly string[]): Snapshot {
  return {
    memory: new Uint8Array(memoryOf(instance).buffer).slice(),
    globals: new Map(
      globals.map((name) => [name, (instance.exports[name] as MutableGlobal).value]),
    ),
  };
}

export function restoreSnapshot(instance: Instance, { memory, globals }: Snapshot): void {
  const bytes = new Uint8Array(memoryOf(instance).buffer);
  bytes.set(memory);
  // Memory never shrinks: what has grown since is cleared instead.
  bytes.fill(0, memory.byteLength);
  for (const [name, value] of globals) (instance.exports[name] as MutableGlobal).value = value;
}
