import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type DiagnosticMessage, main } from "assemblyscript/asc";

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

/**
 * Compiles the plugin in a folder as its asconfig.json says, and leaves the module in
 * `build/<folder>.wasm` there. The same sources give the same bytes, wherever they lie.
 */
export async function buildPlugin(folder: string): Promise<BuiltPlugin> {
  const baseDir = resolve(folder);
  const sources: Sources = new Map();
  const written = new Map<string, Uint8Array | string>();
  const complaints: string[] = [];
  const stderr: string[] = [];
  const { error } = await main(
    ["--config", "asconfig.json", "--baseDir", baseDir, "--outFile", "plugin.wasm"],
    {
      stderr: { write: (chunk: Uint8Array | string) => stderr.push(chunk.toString()) },
      readFile: (name, folder) => readSource(sources, resolve(folder, name)),
      writeFile: (name, contents) => {
        written.set(basename(name), contents);
      },
      reportDiagnostic: (message) => {
        if (message.category === ERROR_CATEGORY) complaints.push(complaint(message, sources));
      },
    },
  );
  const wasm = written.get("plugin.wasm");
  if (error !== null || !(wasm instanceof Uint8Array)) {
    const shown = complaints.slice(0, COMPLAINTS_MAX);
    const reasons = shown.length > 0 ? shown : [stderr.join("").trim()];
    throw new Error(`${baseDir} does not compile:\n${reasons.join("\n")}`, { cause: error });
  }
  await keep(wasm, baseDir);
  return { wasm, sha256: createHash("sha256").update(wasm).digest("hex") };
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
  const what = `${codeName(code)} ${message}`;
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

/** Renames into place, so that somebody who reads meanwhile sees a whole module. */
async function keep(wasm: Uint8Array, baseDir: string): Promise<void> {
  const path = join(baseDir, "build", `${basename(baseDir)}.wasm`);
  const draft = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  await mkdir(join(baseDir, "build"), { recursive: true });
  await writeFile(draft, wasm);
  await rename(draft, path);
}

if (import.meta.main) {
  const { wasm, sha256 } = await buildPlugin(process.argv[2] ?? ".");
  process.stdout.write(`${sha256} ${wasm.byteLength} bytes\n`);
}
