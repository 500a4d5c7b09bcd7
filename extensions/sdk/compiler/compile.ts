import { basename } from "node:path";
import { type DiagnosticMessage, main } from "assemblyscript/asc";
import { createTransform, type PluginFacts } from "../transform/transform.ts";
import { BuildError, causesOf, diagnosticOf, generalDiagnostic } from "./diagnostic.ts";
import type { Sources } from "./sources.ts";

/** What the compiler makes of a plugin's sources. */
export interface Compiled {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
  /** What the transform has learnt; null of a module without @filter. */
  readonly facts: PluginFacts | null;
}

/**
 * For whom to compile: `release` for proxies, `dev` for whoever waits for it, `coverage` to count
 * which of the code that was written runs.
 */
export type Target = "release" | "dev" | "coverage";

/** What is told here goes before any asconfig.json. */
const ARGUMENTS: Readonly<Record<Target, readonly string[]>> = {
  release: ["--target", "release"],
  dev: ["--target", "dev"],
  // An optimiser merges ways, so that what did not run would look as if it did.
  coverage: ["--target", "dev", "--optimizeLevel", "0", "--shrinkLevel", "0"],
};

/** The compiler's number for an error, among its kinds of message. */
const ERROR_CATEGORY = 3;

/** Compiles as the plugin's asconfig.json says, from the sources as they are now. */
export async function compile(
  baseDir: string,
  target: Target,
  sources: Sources,
): Promise<Compiled> {
  const written = new Map<string, Uint8Array | string>();
  const errors: DiagnosticMessage[] = [];
  const stderr: string[] = [];
  const transform = createTransform();
  sources.begin();
  const fixed = ["--config", "asconfig.json", "--outFile", "plugin.wasm", "--sourceMap"];
  const { error } = await main([...fixed, "--baseDir", baseDir, ...ARGUMENTS[target]], {
    stderr: { write: (chunk: Uint8Array | string) => stderr.push(chunk.toString()) },
    transforms: [transform as never],
    readFile: (name, folder) => sources.read(name, folder),
    writeFile: (name, contents) => {
      written.set(basename(name), contents);
    },
    reportDiagnostic: (message) => {
      if (message.category === ERROR_CATEGORY) errors.push(message);
    },
  }).catch((cause: Error) => ({ error: cause }));
  const wasm = written.get("plugin.wasm");
  const sourceMap = written.get("plugin.wasm.map");
  if (error !== null || !(wasm instanceof Uint8Array) || typeof sourceMap !== "string") {
    const found = errors.map((each) => diagnosticOf(each, sources));
    const said = stderr.join("").trim();
    const unplaced = said === "" ? (error?.message ?? "the compiler says nothing") : said;
    const all = found.length > 0 ? causesOf(found) : [generalDiagnostic(unplaced)];
    throw new BuildError(baseDir, all, error);
  }
  return { wasm, sourceMap, facts: transform.facts };
}
