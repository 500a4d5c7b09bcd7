import { WasmError } from "../wasm/cursor.ts";
import { type Instrumented, type Instruments, instrument } from "../wasm/instrument.ts";
import { type Func, readModule, type WasmModule } from "../wasm/module.ts";
import { ABI_VERSIONS, type AbiVersion, callbackType, findCall } from "./abi.ts";
import { Module, validate } from "./webassembly.ts";

/** A module that no VM can be made of. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/** A module that has been compiled and fits its ABI version. */
export interface LoadedModule {
  /** Made of what `instrumented` holds: the module as it was, but for what lets the host see it. */
  readonly module: Module;
  readonly instrumented: Instrumented;
  /** Those of the module as it was, by their numbers. */
  readonly functions: readonly Func[];
  readonly abi: AbiVersion;
  readonly exports: ReadonlySet<string>;
  readonly imports: readonly { readonly module: string; readonly name: string }[];
}

/** 1 GiB: no VM of Envoy's may begin with more. */
const MEMORY_PAGES_MAX = 16_384;

const MARKER = "proxy_abi_version_";

/**
 * Compiles a module, with counters as asked, and checks all that it imports and exports; throws
 * LoadError as Envoy says it.
 */
export function loadModule(wasm: Uint8Array, instruments: Instruments = {}): LoadedModule {
  const { facts, instrumented, module } = compile(wasm, instruments);
  const { imports, memories, functions } = facts;
  const exports = new Map(facts.exports.map((each) => [each.name, each]));
  const abi = ABI_VERSIONS.find((version) => exports.has(MARKER + version.replaceAll(".", "_")));
  if (abi === undefined) throw new LoadError("Missing or unknown Proxy-Wasm ABI version");
  for (const { module: from, name, kind, type } of imports) {
    const call = kind === "function" ? findCall(from, name, abi) : undefined;
    const reason = "Failed to load Wasm module due to";
    if (call === undefined) throw new LoadError(`${reason} a missing import: ${from}.${name}`);
    if (call.type === type) continue;
    const types = `want: ${type}, but host exports: ${call.type}`;
    throw new LoadError(`${reason} an import type mismatch: ${from}.${name}, ${types}`);
  }
  for (const { name, kind, type } of facts.exports) {
    const wanted = callbackType(name, abi);
    if (wanted === undefined || (kind === "function" && type === wanted)) continue;
    const types = `want: ${wanted}, but the module exports: ${type}`;
    throw new LoadError(`Bad function signature for: ${name}, ${types}`);
  }
  if (exports.get("memory")?.kind !== "memory") throw new LoadError("The module has no memory");
  if ((memories[0]?.minimum ?? 0) > MEMORY_PAGES_MAX) {
    throw new LoadError("Failed to create new Wasm instance");
  }
  if (!exports.has("malloc") && !exports.has("proxy_on_memory_allocate")) {
    throw new LoadError("The module exports no allocator");
  }
  return { module, instrumented, functions, abi, exports: new Set(exports.keys()), imports };
}

interface Compiled extends Pick<LoadedModule, "module" | "instrumented"> {
  readonly facts: WasmModule;
}

function compile(wasm: Uint8Array, instruments: Instruments): Compiled {
  try {
    const facts = readModule(wasm);
    const instrumented = instrument(facts, instruments);
    return { facts, instrumented, module: new Module(instrumented.wasm) };
  } catch (cause) {
    const isBeyondUs = cause instanceof WasmError && validate(wasm);
    const reason = isBeyondUs
      ? `The module cannot be read: ${cause.message}`
      : "Failed to parse corrupted Wasm module";
    throw new LoadError(reason, { cause });
  }
}
