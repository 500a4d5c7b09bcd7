import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/** A plugin as tests need it. */
export interface TestedModule {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
}

/**
 * Whoever runs the tests of a folder at every edit has built it already: these name the folder,
 * and the module with its source map beside it.
 */
const BUILT_FOLDER = "WEFT_BUILT_FOLDER";
const BUILT_MODULE = "WEFT_BUILT_MODULE";

const builds = new Map<string, Promise<TestedModule>>();

/** Builds the plugin in a folder, once for all tests of a file: its sources stay as they are. */
export function buildOnce(folder: string): Promise<TestedModule> {
  const path = resolve(folder);
  const build = builds.get(path) ?? make(path);
  builds.set(path, build);
  return build;
}

async function make(folder: string): Promise<TestedModule> {
  const { [BUILT_FOLDER]: builtFolder, [BUILT_MODULE]: builtModule } = process.env;
  if (builtModule !== undefined && builtFolder === folder) return readBuilt(builtModule);
  // The compiler is much to load for whoever has a module already.
  const { buildPlugin } = await import("../build.ts");
  await buildPlugin(folder);
  return readBuilt(join(folder, "build", `${basename(folder)}.wasm`));
}

/** Reads a module that was built, with its source map beside it. */
export async function readBuilt(module: string): Promise<TestedModule> {
  const [wasm, sourceMap] = await Promise.all([
    readFile(module),
    readFile(`${module}.map`, "utf8"),
  ]);
  return { wasm: new Uint8Array(wasm), sourceMap };
}
