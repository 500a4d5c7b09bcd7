import type { PluginManifest } from "../transform/manifest.ts";
import { blocksOf } from "./blocks.ts";
import { type CallGraph, callGraph, type Family } from "./call-graph.ts";
import {
  customSections,
  type Export,
  type Import,
  readModule,
  type Section,
  type WasmModule,
} from "./module.ts";

/** What a plugin's module says of itself, and what its code can do. */
export interface Inspection {
  readonly bytes: number;
  /** The ABI versions whose marker it exports, as "0.2.1": one, in a good plugin. */
  readonly abiVersions: readonly string[];
  readonly imports: readonly Import[];
  readonly exports: readonly Omit<Export, "index">[];
  readonly hasStartSection: boolean;
  /** Null if it has none. A page is 64 KiB. */
  readonly memory: { readonly minPages: number; readonly maxPages: number | null } | null;
  /** As they lie in the module. */
  readonly sections: readonly InspectedSection[];
  /** Null if there is none, or none that is JSON. */
  readonly manifest: PluginManifest | null;
  /** What each exported function can reach, in the order of the exports. */
  readonly capabilities: readonly Capabilities[];
}

export interface InspectedSection {
  /** As the specification calls it; a custom section by its own name. */
  readonly name: string;
  readonly isCustom: boolean;
  /** With its id and size. */
  readonly bytes: number;
}

/** The imports that the calls in a callback's code lead to, whichever way it goes; sorted. */
export interface Capabilities {
  readonly callback: string;
  readonly uses: readonly string[];
  /** Those that only a call through a table leads to: of any function there of the type. */
  readonly mayUse: readonly string[];
}

const SECTION_NAMES = [
  ...["custom", "type", "import", "function", "table", "memory", "global", "export", "start"],
  ...["element", "code", "data", "data count", "tag"],
] as const;

const MARKER = /^proxy_abi_version_(\w+)$/;

/** The custom section that holds the manifest. */
export const MANIFEST_SECTION = "weft.manifest";

/** Reads a module and follows its calls. Throws WasmError where it is none that proxies run. */
export function inspect(wasm: Uint8Array): Inspection {
  const module = readModule(wasm);
  const { imports, exports, start, memories, sections } = module;
  const [memory] = memories;
  const graph = callGraph(module, blocksOf(module));
  const versions = exports.map(({ name }) => MARKER.exec(name)?.[1]?.replaceAll("_", "."));
  return {
    bytes: wasm.byteLength,
    abiVersions: versions.filter((version) => version !== undefined),
    imports,
    exports: exports.map(({ name, kind, type }) => ({ name, kind, type })),
    hasStartSection: start !== null,
    memory: memory === undefined ? null : { minPages: memory.minimum, maxPages: memory.maximum },
    sections: sections.map(inspected),
    manifest: manifestOf(module),
    capabilities: exports
      .filter(({ name, kind }) => kind === "function" && !MARKER.test(name))
      .map(({ name, index }) => ({ callback: name, ...capabilitiesOf(module, graph, index) })),
  };
}

function inspected({ id, name, at, end }: Section): InspectedSection {
  const isCustom = id === 0;
  return { name: isCustom ? name : (SECTION_NAMES[id] ?? ""), isCustom, bytes: end - at };
}

function manifestOf(module: WasmModule): PluginManifest | null {
  const [section] = customSections(module, MANIFEST_SECTION);
  if (section === undefined) return null;
  try {
    return JSON.parse(new TextDecoder().decode(section));
  } catch {
    return null; // Somebody else's section of this name.
  }
}

function capabilitiesOf(
  module: WasmModule,
  graph: CallGraph,
  from: number,
): Omit<Capabilities, "callback"> {
  const named = (reached: ReadonlySet<number>) =>
    new Set([...reached].flatMap((index) => module.functions[index]?.import?.name ?? []));
  const uses = named(reach(graph, from, false));
  const all = named(reach(graph, from, true));
  return { uses: [...uses].sort(), mayUse: [...all].filter((name) => !uses.has(name)).sort() };
}

/** All functions that calls lead to, itself among them. */
function reach(graph: CallGraph, from: number, throughTables: boolean): ReadonlySet<number> {
  const reached = new Set([from]);
  const families = new Set<Family>();
  // A set is walked up to what is added meanwhile.
  for (const index of reached) {
    const { direct = [], indirect = [] } = graph.get(index) ?? {};
    for (const callee of direct) reached.add(callee);
    if (!throughTables) continue;
    for (const family of indirect) {
      if (families.has(family)) continue;
      families.add(family);
      for (const callee of family.members) reached.add(callee);
    }
  }
  return reached;
}
