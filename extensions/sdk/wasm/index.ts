// What stands in a module of WebAssembly, and what it does: a reader of the binary format, and
// rewrites that count instructions and blocks. Nothing here runs a module or touches a file.

export { type Block, blocksOf, type FunctionBlocks } from "./blocks.ts";
export type { Coverage } from "./coverage.ts";
export { WasmError } from "./cursor.ts";
export {
  type Capabilities,
  type InspectedSection,
  type Inspection,
  inspect,
} from "./inspect.ts";
export {
  type Counters,
  cover,
  type Instrumented,
  type Instruments,
  instrument,
  meter,
} from "./instrument.ts";
export { customSections, readModule, type WasmModule } from "./module.ts";
export { functionNames } from "./names.ts";
export type { OffsetMap } from "./offset-map.ts";
