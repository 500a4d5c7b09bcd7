import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type DiagnosticMessage, main } from "assemblyscript/asc";
import { capabilitiesOf, schemaText, sha256Of, withManifest } from "./transform/manifest.ts";
import { createTransform, type PluginFacts } from "./transform/transform.ts";

/** A plugin, compiled. */
export interface BuiltPlugin {
  readonly wasm: Uint8Array;
  /** Of `wasm`, in hexadecimal. */
  readonly sha256: string;
}

/** Complaints shown of a build that fails: the first ones tell, the rest follows from them. */
const COMPLAINTS_MAX = 20;

/** The compiler's number for an error, among its kinds of message. */
const ERROR_CATEGORY = 3;

/** The compiler's number for an error of the transform's. */
const TRANSFORM_CODE = 102;

/**
 * Compiles the plugin in a folder as its asconfig.json says, and leaves in `build/` there:
 *
 *     <folder>.wasm            the module, with its names and `weft.manifest`
 *     <folder>.wasm.map        the source map, from code to line
 *     <folder>.schema.json     the JSON Schema of its configuration
 *     <folder>.config.d.ts     the same as TypeScript
 *
 * The last two only for plugins that use @filter. The same sources give the same bytes, wherever
 * they lie. Errors name file, line and column.
 */
export async function buildPlugin(folder: string): Promise<BuiltPlugin> {
  const baseDir = resolve(folder);
  const sources: Sources = new Map();
  const written = new Map<string, Uint8Array | string>();
  const complaints: string[] = [];
  const stderr: string[] = [];
  const transform = createTransform();
  const { error } = await main(
    ["--config", "asconfig.json", "--baseDir", baseDir, "--outFile", "plugin.wasm", "--sourceMap"],
    {
      stderr: { write: (chunk: Uint8Array | string) => stderr.push(chunk.toString()) },
      transforms: [transform as never],
      readFile: (name, folder) => readSource(sources, resolve(folder, name)),
      writeFile: (name, contents) => {
        written.set(basename(name), contents);
      },
      reportDiagnostic: (message) => {
        if (message.category === ERROR_CATEGORY) complaints.push(complaint(message, sources));
      },
    },
  );
  const compiled = written.get("plugin.wasm");
  if (error !== null || !(compiled instanceof Uint8Array)) {
    const shown = complaints.slice(0, COMPLAINTS_MAX);
    const reasons = shown.length > 0 ? shown : [stderr.join("").trim()];
    throw new Error(`${baseDir} does not compile:\n${reasons.join("\n")}`, { cause: error });
  }
  const { facts } = transform;
  const wasm = facts === null ? compiled : await describe(compiled, facts, baseDir);
  const name = basename(baseDir);
  const sourceMap = written.get("plugin.wasm.map");
  if (sourceMap !== undefined) await keep(baseDir, `${name}.wasm.map`, sourceMap);
  if (facts !== null) {
    await keep(baseDir, `${name}.schema.json`, schemaText(facts.roots));
    if (facts.types !== "") await keep(baseDir, `${name}.config.d.ts`, facts.types);
  }
  await keep(baseDir, `${name}.wasm`, wasm);
  return { wasm, sha256: sha256Of(wasm) };
}

/** Puts the manifest into a module; the names come from package.json, if there is one. */
async function describe(
  wasm: Uint8Array,
  { roots, metrics }: PluginFacts,
  baseDir: string,
): Promise<Uint8Array> {
  const own = await packageAt(baseDir);
  const sdk = await packageAt(import.meta.dirname);
  return withManifest(wasm, {
    name: own.name?.replace(/^@[^/]+\//, "") ?? basename(baseDir),
    version: own.version ?? "",
    sdk: sdk.version ?? "",
    roots: roots.map(({ id }) => id),
    schemaSha256: sha256Of(schemaText(roots)),
    capabilities: capabilitiesOf(wasm),
    metrics,
  });
}

async function packageAt(folder: string): Promise<{ name?: string; version?: string }> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}"); // Optional.
  return JSON.parse(text);
}

/** The texts the compiler has read, by path. */
type Sources = Map<string, string>;

async function readSource(sources: Sources, path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => null); // The compiler tries many paths.
  if (text !== null) sources.set(path, text);
  return text;
}

/** Tells where and what: "assembly/index.ts:12:5: TS2304 Cannot find name 'x'." */
function complaint({ range, code, message }: DiagnosticMessage, sources: Sources): string {
  const isOurs = code === TRANSFORM_CODE;
  const what = isOurs ? message.replace(/^User-defined: /, "") : `${codeName(code)} ${message}`;
  if (range === null) return what;
  const file = range.source.normalizedPath.replace(/^~lib\//, "");
  const text = [...sources].find(([path]) => path.endsWith(`/${file}`))?.[1] ?? "";
  const before = text.slice(0, range.start).split("\n");
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}: ${what}`;
}

/** The compiler's own codes are short numbers; those from 1000 on are TypeScript's. */
function codeName(code: number): string {
  return code < 1000 ? `AS${code}` : `TS${code}`;
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
  const { wasm, sha256 } = await buildPlugin(process.argv[2] ?? ".");
  process.stdout.write(`${sha256} ${wasm.byteLength} bytes\n`);
}
