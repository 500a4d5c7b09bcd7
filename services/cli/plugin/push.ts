import { PushPluginResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Command } from "commander";
import { connectApi, mutationOf } from "../api.ts";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addMutationOptions,
  addOutputOption,
  type Form,
  globalOptions,
  mutationOptions,
} from "../options.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";
import { shorten } from "./digest.ts";
import { type BuiltModule, loadModule } from "./folder.ts";

export function registerPush(group: Command): void {
  const command = group
    .command("push")
    .description("publish a module; a folder with an extension.yaml is built first")
    .argument("<path>", "folder or .wasm file")
    .option("--name <name>", "name; that of extension.yaml or of the file if none")
    .option("--version <version>", "version; that of extension.yaml if none");
  addGlobalOptions(addMutationOptions(addOutputOption(command, ["table", "json", "yaml", "name"])));
  addHelpSections(command, {
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin push extensions/header-stamp",
      'weft plugin push build/stamp.wasm --name stamp --version 1.2.0 -m "first try"',
    ],
  });
  command.action((path: string) => push(command, path));
}

async function push(command: Command, path: string): Promise<void> {
  const options = globalOptions(command);
  const mutation = mutationOf(options, mutationOptions(command));
  const built = await loadModule(path);
  const { name = built.name, version = built.version } = command.opts() as Partial<BuiltModule>;
  const request = { name, version, module: built.wasm, mutation };
  const response = await connectApi(options).pushPlugin(request);
  const terminal = createTerminal();
  const { revision, digest, unchanged } = response;
  switch (command.opts()["output"] as Form) {
    case "json":
      return printJson(terminal, PushPluginResponseSchema, response);
    case "yaml":
      return printYaml(terminal, PushPluginResponseSchema, response);
    case "name":
      return terminal.out(`weft://${name}\n`);
    default: {
      const what = `${name}${version === "" ? "" : ` ${version}`} (${shorten(digest)})`;
      if (mutation.dryRun === true) {
        const would = unchanged ? "is published already" : "would be published";
        return terminal.out(`dry run on r${revision}: ${what} ${would}\n`);
      }
      if (unchanged) return terminal.out(`r${revision}: ${what} is published already\n`);
      terminal.out(`${terminal.paint("green", "+")} Plugin ${what}\n`);
      terminal.out(`${terminal.paint("bold", `r${revision}`)}: name it as url: weft://${name}\n`);
      terminal.say(`undo: weft rollback r${revision}`);
    }
  }
}
