import type { OffsetMap } from "../wasm/offset-map.ts";
import { findSource } from "./source-map.ts";

/** One step of a backtrace: the function, and where in the module or its sources. */
export interface Frame {
  readonly name: string;
  /** Bytes into the module. */
  readonly offset: number;
  /** As "assembly/index.ts:3:27", if there is a source map. */
  readonly source: string | null;
}

export type Backtrace = readonly Frame[];

/** How V8 writes a frame within WebAssembly; names come from the module's name section. */
const FRAME = /at (?:(.+) \()?wasm:\/\/\S*?wasm-function\[(\d+)\]:0x([0-9a-f]+)/g;

/** What leads from the code that ran to the module as it was, and on to its sources. */
export interface Origins {
  readonly offsets: OffsetMap;
  readonly sourceMap: string | undefined;
}

/** The frames of a trap within the plugin, the innermost first. */
export function backtraceOf(error: unknown, { offsets, sourceMap }: Origins): Backtrace {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(FRAME)].map(([, name, index, hex = "0"]) => {
    const offset = offsets.original(Number.parseInt(hex, 16));
    const source = sourceMap === undefined ? null : findSource(sourceMap, offset);
    return { name: name ?? `function ${index}`, offset, source };
  });
}
