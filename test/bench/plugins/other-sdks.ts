// The other two AssemblyScript SDKs, each with the compiler that its authors tell to use. They are
// installed for this alone, into .tools, and are no dependencies of Weft.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";

const tools = resolve(import.meta.dirname, "../../../.tools/sdks");

export interface OtherSdk {
  /** The package and its version. */
  readonly name: string;
  readonly version: string;
  /** What is installed, versions pinned. */
  readonly packages: readonly string[];
  /** How it compiles a plugin, from the folder that holds `assembly/`, into plugin.wasm. */
  readonly compile: readonly string[];
}

/** By the folder that holds its filters. */
export const otherSdks = {
  solo: {
    name: "@solo-io/proxy-runtime",
    version: "0.1.8",
    packages: ["@solo-io/proxy-runtime@0.1.8", "assemblyscript@0.14.13"],
    compile: [
      ...["node_modules/assemblyscript/bin/asc", "assembly/index.ts", "-b", "plugin.wasm"],
      ...["--use", "abort=abort_proc_exit", "-O3"],
    ],
  },
  gcore: {
    name: "@gcoredev/proxy-wasm-sdk-as",
    version: "1.2.3",
    packages: [
      "@gcoredev/proxy-wasm-sdk-as@1.2.3",
      "@assemblyscript/wasi-shim@0.1.0",
      "assemblyscript@0.28.20",
    ],
    compile: [
      ...["node_modules/assemblyscript/bin/asc.js", "assembly/index.ts", "-o", "plugin.wasm"],
      ...["--config", "node_modules/@assemblyscript/wasi-shim/asconfig.json"],
      ...["--use", "abort=abort_proc_exit", "-O3"],
    ],
  },
} as const satisfies Record<string, OtherSdk>;

export type OtherSdkName = keyof typeof otherSdks;

/** Compiles the plugin in `folder/assembly` with another SDK, and answers the module. */
export function buildWith(sdk: OtherSdkName, folder: string): Uint8Array {
  const { compile } = otherSdks[sdk];
  const place = mkdtempSync(`${install(sdk)}/plugin-`);
  try {
    cpSync(join(folder, "assembly"), join(place, "assembly"), { recursive: true });
    const above = compile.map((word) => word.replace(/^node_modules/, "../node_modules"));
    execFileSync(process.execPath, above, { cwd: place, stdio: ["ignore", "pipe", "pipe"] });
    return readFileSync(join(place, "plugin.wasm"));
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Installs an SDK, unless that is done, and answers where. */
function install(sdk: OtherSdkName): string {
  const { packages } = otherSdks[sdk];
  const digest = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 16);
  const home = join(tools, `${sdk}-${digest}`);
  if (existsSync(home)) return home;
  const draft = `${home}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"];
  execFileSync("npm", ["install", "--prefix", draft, ...quiet, ...packages], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(draft, home);
  return home;
}
