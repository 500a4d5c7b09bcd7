import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import type { BuiltPlugin } from "@weft/sdk/build";
import { withSdk } from "./sdk.ts";

/** A plugin that was built in its folder, or the module of a file. */
export interface BuiltModule {
  readonly name: string;
  /** Empty where none is told. */
  readonly version: string;
  readonly wasm: Uint8Array;
  /** Of `wasm`, in hexadecimal. */
  readonly sha256: string;
  /** Null for a module of a file that has none beside it. */
  readonly sourceMap: string | null;
}

/** Builds the plugin of a folder, or reads the module of a file. */
export async function loadModule(path: string): Promise<BuiltModule> {
  return isFolder(path) ? await buildFolder(path) : await readModule(path);
}

/** Compiles the plugin of a folder with the SDK, for release, and leaves it in `build/`. */
export async function buildFolder(folder: string): Promise<BuiltModule> {
  checkFolder(folder);
  const { buildPlugin } = await withSdk(() => import("@weft/sdk/build"));
  await linkSdk(folder);
  return built(folder, () => buildPlugin(folder));
}

/** Compiles the plugin of a folder as it was written, to count what of it runs. Writes nothing. */
export async function buildFolderForCoverage(folder: string): Promise<BuiltPlugin> {
  checkFolder(folder);
  const { buildForCoverage } = await withSdk(() => import("@weft/sdk/build"));
  await linkSdk(folder);
  return translatingErrors(folder, () => buildForCoverage(folder));
}

/** A compiler that stays for a folder: it is quick, makes no release, and writes nothing. */
export async function createFolderBuilder(folder: string): Promise<() => Promise<BuiltModule>> {
  checkFolder(folder);
  const { createBuilder } = await withSdk(() => import("@weft/sdk/build"));
  await linkSdk(folder);
  const builder = createBuilder(folder);
  return () => built(folder, () => builder.build());
}

async function built(folder: string, build: () => Promise<BuiltPlugin>): Promise<BuiltModule> {
  const { name, version } = await describe(folder);
  const { wasm, sha256, sourceMap } = await translatingErrors(folder, build);
  return { name, version, wasm, sha256, sourceMap };
}

function translatingErrors(
  folder: string,
  build: () => Promise<BuiltPlugin>,
): Promise<BuiltPlugin> {
  return build().catch(async (cause: unknown) => {
    const { compileError } = await import("./compile-error.ts");
    throw compileError(folder, cause);
  });
}

/** Lets a folder find the SDK and, if it lies outside, this command too: `npx weft`. */
export async function linkSdk(folder: string): Promise<void> {
  const { ensureSdk } = await withSdk(() => import("@weft/sdk/workshop"));
  const command = join(folder, "node_modules/.bin/weft");
  if (ensureSdk(folder).length === 0 || existsSync(command)) return;
  mkdirSync(dirname(command), { recursive: true });
  rmSync(command, { force: true });
  symlinkSync(join(import.meta.dirname, "../weft.mjs"), command);
}

/** A folder that a plugin can be built in. @throws WeftError missing `cli.no_file` */
export function checkFolder(folder: string): void {
  if (!isFolder(folder)) {
    const what = existsSync(folder) ? "is no folder" : "does not exist";
    throw new WeftError("missing", "cli.no_file", `${folder} ${what}`);
  }
  if (existsSync(join(folder, "asconfig.json"))) return;
  throw new WeftError("missing", "plugin.no_plugin", `${folder} holds no asconfig.json`);
}

/** Name and version, as extension.yaml tells them. */
async function describe(folder: string): Promise<{ name: string; version: string }> {
  const { parse } = await import("yaml");
  const text = readIfThere(join(folder, "extension.yaml"));
  const told = (text === null ? null : parse(text)) as { name?: unknown; version?: unknown } | null;
  return {
    name: typeof told?.name === "string" ? told.name : basename(resolve(folder)),
    version: typeof told?.version === "string" ? told.version : "",
  };
}

async function readModule(path: string): Promise<BuiltModule> {
  const { createHash } = await import("node:crypto");
  try {
    const wasm = new Uint8Array(readFileSync(path));
    const sha256 = createHash("sha256").update(wasm).digest("hex");
    const sourceMap = readIfThere(`${path}.map`);
    return { name: basename(path, ".wasm"), version: "", wasm, sha256, sourceMap };
  } catch (cause) {
    throw new WeftError("missing", "cli.no_file", `${path} cannot be read`, { cause });
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export function readIfThere(path: string): string | null {
  return existsSync(path) && !isFolder(path) ? readFileSync(path, "utf8") : null;
}
