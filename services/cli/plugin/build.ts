import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { toYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";
import { type BuiltModule, buildFolder } from "./folder.ts";
import { withSdk } from "./sdk.ts";

interface Options {
  readonly outFile?: string;
  readonly output: Form;
}

export function registerBuild(plugin: Command): void {
  const command = plugin
    .command("build")
    .description("compile a plugin: the same sources give the same bytes")
    .argument("[folder]", "the plugin's folder", ".")
    .option("--out-file <path>", "write the module there too; build/ in the folder has it anyway");
  addOutputOption(command, ["table", "json", "yaml", "name"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin build extensions/header-stamp",
      "weft plugin build . --out-file stamp.wasm",
      "weft plugin build . -o json | jq -r .sha256",
    ],
  });
  command.action((folder: string) => run(command.opts(), folder));
}

async function run({ outFile, output }: Options, folder: string): Promise<void> {
  const built = await buildFolder(folder);
  const path = outFile ?? join(folder, "build", `${basename(resolve(folder))}.wasm`);
  if (outFile !== undefined) {
    mkdirSync(dirname(outFile), { recursive: true });
    writeFileSync(outFile, built.wasm);
  }
  const { name, version, sha256 } = built;
  const sizes = await sizesOf(built);
  const told = { name, version, path, ...sizes, sha256 };
  const terminal = createTerminal();
  switch (output) {
    case "json":
      return terminal.out(`${JSON.stringify(told, null, 2)}\n`);
    case "yaml":
      return terminal.out(await toYaml(told));
    case "name":
      return terminal.out(`${path}\n`);
    default:
      terminal.out(`${terminal.paint("bold", path)}\n`);
      terminal.out(`  size    ${sizes.bytes} bytes, ${sizes.bytesWithoutNames} without names\n`);
      return terminal.out(`  sha256  ${sha256}\n`);
  }
}

/** Names serve backtraces; what a proxy has to load is the rest. */
async function sizesOf({ wasm }: BuiltModule) {
  const { readModule } = await withSdk(() => import("@weft/sdk/wasm"));
  const names = readModule(wasm).sections.filter(({ id, name }) => id === 0 && name === "name");
  const bytesOfNames = names.reduce((sum, { at, end }) => sum + end - at, 0);
  return { bytes: wasm.byteLength, bytesWithoutNames: wasm.byteLength - bytesOfNames };
}
