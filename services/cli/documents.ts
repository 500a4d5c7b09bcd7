import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import type { SourceText } from "./failure.ts";

/** Files of one command: a folder with more is not one of manifests. */
const FILES_MAX = 1_000;

/** Bytes of one command: the API takes no more. */
const BYTES_MAX = 4 * 1024 * 1024;

/** The texts that `-f` names: files, folders with all manifests below them, `-` for stdin. */
export function readDocuments(paths: readonly string[]): SourceText[] {
  const files = paths.flatMap(filesOf);
  if (files.length > FILES_MAX) {
    const message = `${files.length} files; at most ${FILES_MAX} are applied at once`;
    throw new WeftError("invalid", "manifest.too_large", message);
  }
  let left = BYTES_MAX;
  return files.map((path) => {
    const text = readText(path);
    left -= Buffer.byteLength(text);
    if (left >= 0) return { path: path === "-" ? "stdin" : path, text };
    const message = `more than ${BYTES_MAX} bytes up to ${path}`;
    throw new WeftError("invalid", "manifest.too_large", message);
  });
}

/** A file as text; `-` is stdin. @throws WeftError missing `cli.no_file` */
export function readText(path: string): string {
  try {
    return readFileSync(path === "-" ? process.stdin.fd : path, "utf8");
  } catch (cause) {
    throw noFile(path, cause);
  }
}

function filesOf(path: string): string[] {
  if (path === "-" || !isFolder(path)) return [path];
  const found = globSync("**/*.{yaml,yml,json}", { cwd: path }).sort();
  if (found.length > 0) return found.map((name) => join(path, name));
  throw new WeftError("missing", "cli.no_file", `${path} holds no .yaml, .yml or .json file`);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw noFile(path, cause);
  }
}

function noFile(path: string, cause: unknown): WeftError {
  const code = (cause as NodeJS.ErrnoException).code;
  const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
  return new WeftError("missing", "cli.no_file", `${path} ${why}`, { cause });
}
