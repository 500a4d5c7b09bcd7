import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const tsc = join(root, "node_modules", ".bin", "tsc");

/** What an editor would underline in a plugin, as its tsconfig.json has it read. */
async function errorsIn(folder: string): Promise<string> {
  const run = promisify(execFile)(tsc, ["-p", folder, "--pretty", "false"], { cwd: root });
  return await run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

const plugins = globSync("extensions/{*,sdk/templates/*}/tsconfig.json", { cwd: root });

test.each(plugins.map((path) => join(path, "..")))(
  "an editor shows no error in %s",
  async (folder) => {
    expect(await errorsIn(folder)).toBe("");
  },
);
