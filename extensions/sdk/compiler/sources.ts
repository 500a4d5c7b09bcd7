import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The SDK that runs the build, which every plugin is built with, wherever it lies. */
const SDK = resolve(import.meta.dirname, "..");

/** How the compiler looks for the SDK: in the node_modules of one folder after another. */
const AS_PACKAGE = /(?:^|[\\/])node_modules[\\/]@weft[\\/]sdk[\\/](.*)$/;

/** What a plugin's settings extend, and the path by which the compiler asks for it here. */
const EXTENDED = "@weft/sdk/asconfig.json";
const EXTENDED_PATH = "./node_modules/@weft/sdk/asconfig.json";

/** The settings of a plugin that has no asconfig.json, and its entries if they are not told. */
const DEFAULT_CONFIG = `{"extends": "${EXTENDED}"}`;
const DEFAULT_ENTRIES = ["assembly/index.ts"];

interface Text {
  readonly mtimeMs: number;
  readonly size: number;
  readonly text: string;
}

/** The files of one plugin and of the SDK, kept from build to build while they do not change. */
export interface Sources {
  /** Forgets which files the last build asked for. */
  begin(): void;
  /** The text of a file, or null if it is not there. */
  read(name: string, folder: string): string | null;
  /** The text of a file that was read, by the name that the compiler gives it. */
  textOf(compilerPath: string): string | undefined;
  /** The files that were read since `begin`. */
  readonly files: readonly string[];
  /** Whether all that was asked for since `begin` is as it was, the missing ones included. */
  isUnchanged(): boolean;
}

export function createSources(baseDir: string): Sources {
  const kept = new Map<string, Text>();
  let asked = new Map<string, Text | null>();
  const load = (path: string): Text | null => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) return null;
    const { mtimeMs, size } = stat;
    const known = kept.get(path);
    if (known?.mtimeMs === mtimeMs && known.size === size) return known;
    const loaded = { mtimeMs, size, text: readFileSync(path, "utf8") };
    kept.set(path, loaded);
    return loaded;
  };
  return {
    begin: () => {
      asked = new Map();
    },
    read: (name, folder) => {
      const path = pathOf(name, folder);
      const loaded = load(path);
      asked.set(path, loaded);
      const text = loaded?.text ?? null;
      if (path === join(baseDir, "asconfig.json")) return configOf(text ?? DEFAULT_CONFIG);
      return text;
    },
    textOf: (compilerPath) => {
      const name = compilerPath.replace(/^~lib\/@weft\/sdk\//, "");
      const folder = name === compilerPath ? baseDir : SDK;
      return asked.get(resolve(folder, name))?.text;
    },
    get files() {
      return [...asked].flatMap(([path, loaded]) => (loaded === null ? [] : [path]));
    },
    isUnchanged: () => asked.size > 0 && [...asked].every(([path, was]) => load(path) === was),
  };
}

/** A file as others name it: from the plugin's folder on, and the SDK's by the package's name. */
function pathOf(name: string, folder: string): string {
  const path = resolve(folder, name);
  const own = AS_PACKAGE.exec(path)?.[1];
  return own === undefined ? path : join(SDK, own);
}

/** Settings whose way to the SDK's needs no package manager. */
function configOf(text: string): string {
  try {
    const config = JSON.parse(text);
    const path = config.extends === EXTENDED ? { extends: EXTENDED_PATH } : {};
    return JSON.stringify({ entries: DEFAULT_ENTRIES, ...config, ...path });
  } catch {
    return text; // The compiler complains that it is no JSON.
  }
}
