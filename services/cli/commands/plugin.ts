import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { WeftError } from "@weft/core/error";
import {
  ListPluginsResponseSchema,
  type PluginView,
  PluginViewSchema,
  PushPluginResponseSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
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
import { type Column, formatAge, writeTable } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";

/** Characters of a digest that tell two plugins apart. */
const DIGEST_SHOWN = 12;

export function registerPlugin(program: Command): void {
  const group = program.command("plugin").description("publish and list Wasm plugins");
  registerPush(group);
  registerList(group);
}

function registerPush(group: Command): void {
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

function registerList(group: Command): void {
  const command = group.command("list").description("list what is published");
  addGlobalOptions(addOutputOption(command, ["table", "wide", "json", "jsonl", "yaml", "name"]));
  addHelpSections(command, { examples: ["weft plugin list", "weft plugin list -o wide"] });
  command.action(() => list(command));
}

async function push(command: Command, path: string): Promise<void> {
  const options = globalOptions(command);
  const mutation = mutationOf(options, mutationOptions(command));
  const built = isFolder(path) ? await buildFolder(path) : readModule(path);
  const { name = built.name, version = built.version } = command.opts() as Partial<Built>;
  const request = { name, version, module: built.module, mutation };
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

async function list(command: Command): Promise<void> {
  const response = await connectApi(globalOptions(command)).listPlugins({});
  const terminal = createTerminal();
  const form = command.opts()["output"] as Form;
  switch (form) {
    case "json":
      return printJson(terminal, ListPluginsResponseSchema, response);
    case "jsonl":
      for (const each of response.plugins) printJson(terminal, PluginViewSchema, each, "jsonl");
      return;
    case "yaml":
      return printYaml(terminal, ListPluginsResponseSchema, response);
    case "name":
      for (const { name } of response.plugins) terminal.out(`${name}\n`);
      return;
    case "table":
    case "wide":
      if (response.plugins.length === 0) return terminal.say("no plugin is published");
      return writeTable(terminal, response.plugins, columnsOf(form === "wide"));
  }
}

function columnsOf(wide: boolean): readonly Column<PluginView>[] {
  return [
    { title: "NAME", cell: ({ name }) => name },
    { title: "VERSION", cell: ({ version }) => version },
    { title: "DIGEST", cell: ({ digest }) => (wide ? digest : shorten(digest)) },
    { title: "SIZE", cell: ({ sizeBytes }) => `${Math.ceil(Number(sizeBytes) / 1024)} KiB` },
    { title: "REV", cell: ({ revision }) => `r${revision}` },
    {
      title: "AGE",
      cell: ({ changedAt }) =>
        changedAt === undefined ? "" : formatAge(Date.now() - timestampMs(changedAt)),
    },
    { title: "BY", cell: ({ changedBy }) => changedBy },
  ];
}

interface Built {
  readonly name: string;
  readonly version: string;
  readonly module: Uint8Array;
}

/** Compiles the plugin of a folder with the SDK. */
async function buildFolder(folder: string): Promise<Built> {
  const path = join(folder, "extension.yaml");
  const { readText } = await import("../documents.ts");
  const { parse } = await import("yaml");
  const manifest = parse(readText(path)) as { name?: unknown; version?: unknown } | null;
  const { buildPlugin } = await loadSdk();
  const { wasm } = await buildPlugin(folder).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new WeftError("invalid", "plugin.does_not_compile", message, { cause });
  });
  return {
    name: typeof manifest?.name === "string" ? manifest.name : basename(resolve(folder)),
    version: typeof manifest?.version === "string" ? manifest.version : "",
    module: wasm,
  };
}

/** The SDK comes with a checkout; a lone command line pushes modules that were built before. */
async function loadSdk(): Promise<typeof import("@weft/sdk/build")> {
  try {
    return await import("@weft/sdk/build");
  } catch (cause) {
    const message = "the plugin SDK is not installed beside this command";
    throw new WeftError("unavailable", "cli.no_compiler", message, { cause });
  }
}

function readModule(path: string): Built {
  try {
    return { name: basename(path, ".wasm"), version: "", module: readFileSync(path) };
  } catch (cause) {
    throw new WeftError("missing", "cli.no_file", `${path} cannot be read`, { cause });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function shorten(digest: string): string {
  return digest.slice(0, DIGEST_SHOWN);
}
