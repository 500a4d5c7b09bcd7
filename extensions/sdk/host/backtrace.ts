import type { Func } from "../wasm/module.ts";
import type { OffsetMap } from "../wasm/offset-map.ts";
import { findSource, LIBRARY } from "./source-map.ts";

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
  /** All functions of the module as it was, by their numbers. */
  readonly functions: readonly Func[];
  readonly sourceMap: string | undefined;
}

/** The frames of a trap within the plugin, the innermost first. */
export function backtraceOf(error: unknown, origins: Origins): Backtrace {
  const { offsets, functions, sourceMap } = origins;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(FRAME)].map(([, name, index, hex = "0"]): Frame => {
    const offset = offsets.original(Number.parseInt(hex, 16));
    const frame = { name: name ?? `function ${index}`, offset };
    if (sourceMap === undefined) return { ...frame, source: null };
    const body = functions[Number(index)]?.body ?? null;
    const isOwn = name !== undefined && !name.startsWith(LIBRARY);
    const around = body === null ? null : { start: body.start, isOwn };
    return { ...frame, source: findSource(sourceMap, offset, around) };
  });
}
