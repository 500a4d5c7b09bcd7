import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const CLI = resolve("services/cli/main.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in a folder to its end, as weft.mjs starts it. */
export async function runWeft(folder: string, args: readonly string[], stdin = ""): Promise<Ended> {
  // Workers of vitest tell so in the environment, which is no business of a vitest that we start.
  const { FORCE_COLOR: _, NO_COLOR: __, VITEST: ___, ...env } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { ...env, NODE_COMPILE_CACHE: resolve("node_modules/.cache/weft") },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // it may end without having read
  child.stdin.end(stdin);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
