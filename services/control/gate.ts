import { WeftError } from "@weft/core/error";
import { ABI_VERSIONS, type AbiVersion, callbackType, findCall } from "@weft/sdk/host";
import { readModule, WasmError, type WasmModule } from "@weft/sdk/wasm";

/** What a WebAssembly module says about itself. Types are written like "i32 i64 -> i32". */
export interface ModuleFacts {
  readonly sizeBytes: number;
  /** The ABI versions whose marker it exports, as "0.2.1". */
  readonly abiVersions: readonly string[];
  /** `type` is null for what is not a function. */
  readonly imports: WasmModule["imports"];
  readonly exports: readonly Omit<WasmModule["exports"][number], "index">[];
  readonly hasStartSection: boolean;
  /** Null if it has none; `maxPages` null if it sets none. A page is 64 KiB. */
  readonly memory: { readonly minPages: number; readonly maxPages: number | null } | null;
  readonly customSections: readonly string[];
}

/** Larger modules cost each worker more than a filter may: 4 MiB already take 40 ms to swap in. */
export const MODULE_BYTES_MAX = 4 * 1024 * 1024;

/** Envoy's own limit: 1 GiB, in pages of 64 KiB. */
export const MEMORY_PAGES_MAX = 16_384;

/** What a module begins with: `\0asm` and its version. */
const HEADER_BYTES = 8;

/** Reads a module, without judging it beyond the format. */
export function inspectModule(bytes: Uint8Array): ModuleFacts {
  if (bytes.byteLength > MODULE_BYTES_MAX) {
    const size = `${bytes.byteLength} bytes, more than the ${MODULE_BYTES_MAX} allowed`;
    throw refusal("plugin.too_large", `the module has ${size}: strip it or optimise for size`);
  }
  const { imports, exports, start, memories, sections } = read(bytes);
  if (memories.length > 1) throw notWasm("more than one memory");
  const [memory] = memories;
  const marker = /^proxy_abi_version_(\w+)$/;
  const versions = exports.map(({ name, kind }) =>
    kind === "function" ? marker.exec(name)?.[1]?.replaceAll("_", ".") : undefined,
  );
  return {
    sizeBytes: bytes.byteLength,
    abiVersions: versions.filter((version) => version !== undefined),
    imports,
    exports: exports.map(({ name, kind, type }) => ({ name, kind, type })),
    hasStartSection: start !== null,
    memory: memory === undefined ? null : { minPages: memory.minimum, maxPages: memory.maximum },
    customSections: sections.filter(({ id }) => id === 0).map(({ name }) => name),
  };
}

function read(bytes: Uint8Array): WasmModule {
  try {
    return readModule(bytes);
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
    const isOther = error.offset < HEADER_BYTES;
    const mend = ": give the compiled core module, not its text, an archive or a component";
    throw notWasm(error.message + (isOther ? mend : ""));
  }
}

/**
 * Refuses a module that Envoy would refuse, or die of, when it is loaded. Whether it then accepts
 * its configuration only running it can tell.
 */
export function gateModule(bytes: Uint8Array): ModuleFacts {
  const facts = inspectModule(bytes);
  if (!validate(bytes)) throw notWasm("its code is invalid: compile it again");
  const abi = gateAbi(facts);
  // The host has neither memory nor context then: a hostcall takes the whole of Envoy down.
  if (facts.hasStartSection) {
    const mend = "export that function as _initialize (asc: --exportStart _initialize)";
    throw refusal("plugin.start_section", `the module has a start section: ${mend}`);
  }
  for (const { module, name, kind, type } of facts.imports) {
    const wanted = findCall(module, name, abi)?.type;
    if (wanted === undefined || kind !== "function") {
      const what = `${kind} ${module}.${name}`;
      throw refusal("plugin.bad_import", `no proxy offers the ${what} to ABI ${abi}: remove it`);
    }
    if (type !== wanted) {
      const types = `${module}.${name} as ${type}, but it is ${wanted}`;
      throw refusal("plugin.bad_import", `the module imports ${types}: correct its declaration`);
    }
  }
  gateExports(facts, abi);
  return facts;
}

function gateAbi({ abiVersions }: ModuleFacts): AbiVersion {
  const known = ABI_VERSIONS.join(", ");
  const [abi, ...others] = abiVersions;
  if (abi === undefined) {
    const mend = "export one function proxy_abi_version_0_2_1, as Proxy-Wasm SDKs do";
    throw refusal("plugin.no_abi", `the module has no ABI marker: ${mend}`);
  }
  if (others.length > 0) {
    const versions = abiVersions.join(" and ");
    throw refusal("plugin.no_abi", `the module has the markers of ABI ${versions}: keep one`);
  }
  const version = ABI_VERSIONS.find((each) => each === abi);
  if (version === undefined) {
    throw refusal("plugin.no_abi", `ABI ${abi} is not known: build for one of ${known}`);
  }
  return version;
}

function gateExports({ exports, memory }: ModuleFacts, abi: AbiVersion): void {
  for (const { name, kind, type } of exports) {
    const wanted = callbackType(name, abi);
    if (wanted === undefined || (kind === "function" && type === wanted)) continue;
    const types = `${name} as ${type ?? kind}, but the host calls ${wanted}`;
    throw refusal("plugin.bad_export", `the module exports ${types}: correct its parameters`);
  }
  if (
    memory === null ||
    !exports.some(({ name, kind }) => name === "memory" && kind === "memory")
  ) {
    const mend = "define one and export it as memory";
    throw refusal("plugin.no_memory", `the module exports no memory: ${mend}`);
  }
  if (memory.minPages > MEMORY_PAGES_MAX) {
    const pages = `${memory.minPages} pages, more than the ${MEMORY_PAGES_MAX} of a proxy`;
    throw refusal("plugin.no_memory", `the module asks for ${pages}: lower its initial memory`);
  }
  if (!exports.some(({ name }) => name === "malloc" || name === "proxy_on_memory_allocate")) {
    const mend = "export proxy_on_memory_allocate or malloc";
    throw refusal("plugin.no_allocator", `the host cannot hand over memory: ${mend}`);
  }
}

type Code = ConstructorParameters<typeof WeftError>[1];

function refusal(code: Code, message: string): WeftError {
  return new WeftError("invalid", code, message);
}

function notWasm(what: string): WeftError {
  return refusal("plugin.not_wasm", `not a WebAssembly module: ${what}`);
}

/** Judges the code itself, which the reader passes over. Node's types leave WebAssembly out. */
const { validate } = (
  globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } }
).WebAssembly;
