import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** What a plugin's sources, tests and editor import. */
const PACKAGES = ["@weft/sdk", "assemblyscript", "fast-check", "vitest"] as const;

const SDK = dirname(import.meta.dirname);

/**
 * Lets a plugin's folder find the SDK, wherever it lies: links in its node_modules what it would
 * not find otherwise to what this checkout has. Answers the links it has made.
 */
export function ensureSdk(folder: string): string[] {
  const home = resolve(folder);
  return PACKAGES.filter((name) => findPackage(home, name) === null).map((name) => {
    const own = name === "@weft/sdk" ? SDK : findPackage(SDK, name);
    if (own === null) throw new Error(`${name} is not installed beside the SDK`);
    const link = join(home, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    // A link of a checkout that has gone leads nowhere.
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
    symlinkSync(own, link, "dir");
    return link;
  });
}

/** Where Node finds a package: in the node_modules of a folder or of one above it. */
function findPackage(folder: string, name: string): string | null {
  const place = join(folder, "node_modules", name);
  if (existsSync(place)) return place;
  const above = dirname(folder);
  return above === folder ? null : findPackage(above, name);
}
