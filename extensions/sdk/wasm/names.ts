import { byte, type Cursor, entries, isAtEnd, name, part, u32, WasmError } from "./cursor.ts";
import { customSections, type WasmModule } from "./module.ts";

const FUNCTION_NAMES = 1;

/**
 * The names of functions by their numbers, from the section `name`: none if it is not there, or
 * as malformed as engines ignore it.
 */
export function functionNames(module: WasmModule): ReadonlyMap<number, string> {
  const [section] = customSections(module, "name");
  if (section === undefined) return new Map();
  const cursor: Cursor = { wasm: section, at: 0, end: section.byteLength };
  try {
    while (!isAtEnd(cursor)) {
      const id = byte(cursor);
      const content = part(cursor, u32(cursor));
      if (id !== FUNCTION_NAMES) continue;
      return new Map(entries(content, (each) => [u32(each), name(each)] as const));
    }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
  }
  return new Map();
}
