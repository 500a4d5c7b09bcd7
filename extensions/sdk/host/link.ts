import { ABI_VERSIONS, type AbiVersion, callbackType, findCall } from "./abi.ts";
import { moduleTypes } from "./module-types.ts";
import { Module } from "./webassembly.ts";

/** A module that no VM can be made of. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/** A module that has been compiled and fits its ABI version. */
export interface LoadedModule {
  readonly module: Module;
  readonly abi: AbiVersion;
  readonly exports: ReadonlySet<string>;
  readonly imports: readonly { readonly module: string; readonly name: string }[];
}

/** 1 GiB: no VM of Envoy's may begin with more. */
const MEMORY_PAGES_MAX = 16_384;

const MARKER = "proxy_abi_version_";

/** Compiles a module and checks all that it imports and exports; throws LoadError as Envoy says it. */
export function loadModule(wasm: Uint8Array): LoadedModule {
  const module = compile(wasm);
  const { imports, exports, memoryPages } = moduleTypes(wasm);
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
  for (const [name, { kind, type }] of exports) {
    const wanted = callbackType(name, abi);
    if (wanted === undefined || (kind === "function" && type === wanted)) continue;
    const types = `want: ${wanted}, but the module exports: ${type}`;
    throw new LoadError(`Bad function signature for: ${name}, ${types}`);
  }
  if (exports.get("memory")?.kind !== "memory") throw new LoadError("The module has no memory");
  if (memoryPages > MEMORY_PAGES_MAX) throw new LoadError("Failed to create new Wasm instance");
  if (!exports.has("malloc") && !exports.has("proxy_on_memory_allocate")) {
    throw new LoadError("The module exports no allocator");
  }
  return { module, abi, exports: new Set(exports.keys()), imports };
}

function compile(wasm: Uint8Array): Module {
  try {
    return new Module(wasm);
  } catch (cause) {
    throw new LoadError("Failed to parse corrupted Wasm module", { cause });
  }
}
