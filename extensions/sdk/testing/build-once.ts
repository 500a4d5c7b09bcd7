import { resolve } from "node:path";
import { type BuiltPlugin, buildPlugin } from "../build.ts";

const builds = new Map<string, Promise<BuiltPlugin>>();

/** Builds the plugin in a folder, once for all tests of a file: its sources stay as they are. */
export function buildOnce(folder: string): Promise<BuiltPlugin> {
  const path = resolve(folder);
  const build = builds.get(path) ?? buildPlugin(path);
  builds.set(path, build);
  return build;
}
