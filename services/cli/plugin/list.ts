import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  ListPluginsResponseSchema,
  type PluginView,
  PluginViewSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Command } from "commander";
import { connectApi } from "../api.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
} from "../options.ts";
import { type Column, formatAge, writeTable } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";
import { shorten } from "./digest.ts";

export function registerList(group: Command): void {
  const command = group.command("list").description("list what is published");
  addGlobalOptions(addOutputOption(command, ["table", "wide", "json", "jsonl", "yaml", "name"]));
  addHelpSections(command, { examples: ["weft plugin list", "weft plugin list -o wide"] });
  command.action(() => list(command));
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
