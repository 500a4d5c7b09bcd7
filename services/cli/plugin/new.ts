import { basename, relative, resolve } from "node:path";
import { WeftError } from "@weft/core/error";
import type { Template } from "@weft/sdk/workshop";
import { type Command, Option } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { linkSdk } from "./folder.ts";
import { withSdk } from "./sdk.ts";

interface Options {
  readonly template: Template;
  readonly name?: string;
  readonly list?: boolean;
  readonly output: Form;
}

export async function registerNew(plugin: Command): Promise<void> {
  const { TEMPLATES } = await withSdk(() => import("@weft/sdk/workshop"));
  const command = plugin
    .command("new")
    .description(
      "begin a plugin from a template: sources, tests, a budget, and the SDK beside them",
    )
    .argument("[dir]", "folder to make; its name is the plugin's")
    .addOption(
      new Option("--template <name>", "what to begin with")
        .choices(Object.keys(TEMPLATES))
        .default("headers"),
    )
    .option("--name <name>", "name of the plugin, if not that of the folder")
    .option("--list", "list the templates, and make nothing");
  addOutputOption(command, ["table", "json", "yaml", "name"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.badFile],
    examples: [
      "weft plugin new --list",
      "weft plugin new my-filter",
      "weft plugin new plugins/keys --template auth --name api-keys",
    ],
  });
  command.action((folder: string | undefined) => run(command.opts(), folder));
}

async function run(options: Options, folder: string | undefined): Promise<void> {
  const terminal = createTerminal();
  if (options.list === true) return await list(terminal, options.output);
  if (folder === undefined) {
    throw new WeftError("invalid", "cli.usage", "name the folder to make, or --list the templates");
  }
  const { isPluginName, isTaken, scaffold } = await import("@weft/sdk/workshop");
  const { template, name = basename(resolve(folder)) } = options;
  if (!isPluginName(name)) {
    const message = `${JSON.stringify(name)} is no name for a plugin; give another with --name`;
    throw new WeftError("invalid", "plugin.bad_name", message);
  }
  if (isTaken(folder)) {
    throw new WeftError("conflict", "plugin.not_empty", `${folder} is not empty`);
  }
  const files = scaffold(template, folder, name);
  await linkSdk(folder);
  await printMade(terminal, options.output, { name, template, folder, files });
  const there = relative(process.cwd(), resolve(folder)) || ".";
  terminal.say(`next: weft plugin test ${there}, then read ${there}/README.md`);
}

async function list(terminal: Terminal, form: Form): Promise<void> {
  const { TEMPLATES } = await import("@weft/sdk/workshop");
  const templates = Object.entries(TEMPLATES).map(([name, teaches]) => ({ name, teaches }));
  switch (form) {
    case "json":
      return terminal.out(`${JSON.stringify({ templates }, null, 2)}\n`);
    case "yaml":
      return terminal.out(await toYaml({ templates }));
    case "name":
      for (const { name } of templates) terminal.out(`${name}\n`);
      return;
    default:
      return writeTable(terminal, templates, [
        { title: "TEMPLATE", cell: ({ name }) => name },
        { title: "WHAT IT DOES", cell: ({ teaches }) => teaches },
      ]);
  }
}

interface Made {
  readonly name: string;
  readonly template: Template;
  readonly folder: string;
  readonly files: readonly string[];
}

async function printMade(terminal: Terminal, form: Form, made: Made): Promise<void> {
  switch (form) {
    case "json":
      return terminal.out(`${JSON.stringify(made, null, 2)}\n`);
    case "yaml":
      return terminal.out(await toYaml(made));
    case "name":
      return terminal.out(`${made.name}\n`);
    default:
      for (const file of made.files) terminal.out(`${terminal.paint("green", "+")} ${file}\n`);
  }
}
