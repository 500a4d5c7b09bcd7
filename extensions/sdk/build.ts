import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type Compiled, compile, type Target } from "./compiler/compile.ts";
import { BuildError, generalDiagnostic } from "./compiler/diagnostic.ts";
import { createSources } from "./compiler/sources.ts";
import { findCall } from "./host/index.ts";
import { Module } from "./host/webassembly.ts";
import { capabilitiesOf, schemaText, sha256Of, withManifest } from "./transform/manifest.ts";
import type { PluginFacts } from "./transform/transform.ts";

export { BuildError, type Diagnostic } from "./compiler/diagnostic.ts";

/** A plugin, compiled. */
export interface BuiltPlugin {
  readonly wasm: Uint8Array;
  /** Of `wasm`, in hexadecimal. */
  readonly sha256: string;
  /** From places in `wasm` to lines, as JSON. */
  readonly sourceMap: string;
  /** The JSON Schema of its configuration, and the same as TypeScript; "" where there is none. */
  readonly schema: string;
  readonly types: string;
}

/** Builds one plugin again and again. */
export interface Builder {
  /**
   * Builds what is there now, for whoever waits for it: quickly, and with larger and slower code
   * than a release. The same plugin comes back while nothing has changed.
   */
  build(): Promise<BuiltPlugin>;
  /** The files that the last build has read: when one of them changes, build again. */
  readonly files: readonly string[];
}

/**
 * Compiles the plugin in a folder, for release, and leaves in `build/` there:
 *
 *     <folder>.wasm            the module, with its names and `weft.manifest`
 *     <folder>.wasm.map        the source map, from code to line
 *     <folder>.schema.json     the JSON Schema of its configuration
 *     <folder>.config.d.ts     the same as TypeScript
 *
 * The last two only for plugins that use @filter. `asconfig.json` may set options of asc and is
 * not needed; `@weft/sdk` is always this SDK. The same sources give the same bytes, wherever they
 * lie. Throws BuildError with every mistake, its place and its mend.
 */
export async function buildPlugin(folder: string): Promise<BuiltPlugin> {
  const baseDir = resolve(folder);
  const built = await build(baseDir, "release", createSources(baseDir));
  const name = basename(baseDir);
  await keep(baseDir, `${name}.wasm.map`, built.sourceMap);
  if (built.schema !== "") await keep(baseDir, `${name}.schema.json`, built.schema);
  if (built.types !== "") await keep(baseDir, `${name}.config.d.ts`, built.types);
  await keep(baseDir, `${name}.wasm`, built.wasm);
  return built;
}

/**
 * Compiles the plugin in a folder without optimising, whatever its settings say, so that its code
 * runs as it was written and can be counted. Writes nothing. Throws BuildError as above.
 */
export function buildForCoverage(folder: string): Promise<BuiltPlugin> {
  const baseDir = resolve(folder);
  return build(baseDir, "coverage", createSources(baseDir));
}

/** Keeps the compiler and the sources in memory, so that a build takes a blink. Writes nothing. */
export function createBuilder(folder: string): Builder {
  const baseDir = resolve(folder);
  const sources = createSources(baseDir);
  let last: BuiltPlugin | null = null;
  let running: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<BuiltPlugin> => {
    if (last !== null && sources.isUnchanged()) return last;
    last = null;
    last = await build(baseDir, "dev", sources);
    return last;
  };
  return {
    build: () => {
      const built = running.then(next, next);
      running = built;
      return built;
    },
    get files() {
      return sources.files;
    },
  };
}

async function build(
  baseDir: string,
  target: Target,
  sources: ReturnType<typeof createSources>,
): Promise<BuiltPlugin> {
  const compiled = await compile(baseDir, target, sources);
  const { facts, sourceMap } = compiled;
  if (facts === null) {
    const { wasm } = compiled;
    return { wasm, sha256: sha256Of(wasm), sourceMap, schema: "", types: "" };
  }
  checkImports(baseDir, compiled);
  const own = packageOf(sources.read("package.json", baseDir));
  const wasm = await describe(compiled.wasm, facts, own);
  const schema = schemaText(facts.roots);
  return { wasm, sha256: sha256Of(wasm), sourceMap, schema, types: facts.types };
}

/** A proxy would refuse to load a module that imports what it does not offer. */
function checkImports(baseDir: string, { wasm }: Compiled): void {
  const strange = Module.imports(new Module(wasm)).filter(
    ({ module, name }) => findCall(module, name, "0.2.1") === undefined,
  );
  if (strange.length === 0) return;
  const mend = "use what @weft/sdk/assembly has for it: a proxy offers no more than its ABI";
  const each = strange.map(({ module, name }) =>
    generalDiagnostic(`the module imports ${module}.${name}, which no proxy has`, mend),
  );
  throw new BuildError(baseDir, each);
}

/** Puts the manifest into a module. A plugin without a package.json is named by its root id. */
async function describe(
  wasm: Uint8Array,
  { roots, metrics }: PluginFacts,
  own: Package,
): Promise<Uint8Array> {
  const sdk = packageOf(await readFile(join(import.meta.dirname, "package.json"), "utf8"));
  return withManifest(wasm, {
    name: own.name?.replace(/^@[^/]+\//, "") ?? roots[0]?.id ?? "",
    version: own.version ?? "",
    sdk: sdk.version ?? "",
    roots: roots.map(({ id }) => id),
    schemaSha256: sha256Of(schemaText(roots)),
    capabilities: capabilitiesOf(wasm),
    metrics,
  });
}

interface Package {
  readonly name?: string;
  readonly version?: string;
}

function packageOf(text: string | null): Package {
  return text === null ? {} : JSON.parse(text);
}

/** Renames into place, so that somebody who reads meanwhile sees a whole file. */
async function keep(baseDir: string, name: string, content: Uint8Array | string): Promise<void> {
  const path = join(baseDir, "build", name);
  const draft = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  await mkdir(join(baseDir, "build"), { recursive: true });
  await writeFile(draft, content);
  await rename(draft, path);
}

if (import.meta.main) {
  try {
    const { wasm, sha256 } = await buildPlugin(process.argv[2] ?? ".");
    process.stdout.write(`${sha256} ${wasm.byteLength} bytes\n`);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
