// Everything that can be said of the tree without running it: style, types, protos.
//
//   npm run check

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { generate } from "./gen.ts";

const root = resolve(import.meta.dirname, "..");
generate();

const checks = [
  ["biome", "ci", "--diagnostic-level=error"],
  ["tsc", "-p", "."],
  ["buf", "lint"],
];
// What was committed is what others may have stored; an export without history has none.
const isRepository = existsSync(join(root, ".git"));
if (isRepository) checks.push(["buf", "breaking", "--against", ".git#ref=HEAD"]);

for (const [command = "", ...args] of checks) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
