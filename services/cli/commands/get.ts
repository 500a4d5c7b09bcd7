import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  GetResponseSchema,
  ListResponseSchema,
  type ResourceView,
  ResourceViewSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Command, Option } from "commander";
import { connectApi } from "../api.ts";
import { EXIT } from "../exit.ts";
import { kindNamed, namespaceFor } from "../kind-names.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  type GlobalOptions,
  globalOptions,
  readRevision,
} from "../options.ts";
import { type Column, formatAge, writeTable } from "../output.ts";
import { printJson, toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";

export function registerGet(program: Command): void {
  const command = program
    .command("get")
    .description("show resources, now or at any revision; -o yaml can be applied again")
    .argument("<kind>", "kind, such as VirtualService or vs; or all")
    .argument("[name]", "name of one resource")
    .addOption(new Option("--at <revision>", "as it was then").argParser(readRevision));
  const forms = ["table", "wide", "json", "jsonl", "yaml", "name"] as const;
  addGlobalOptions(addOutputOption(command, [...forms]));
  addHelpSections(command, {
    exits: [EXIT.missing],
    examples: [
      "weft get all",
      "weft get vs reviews -o yaml > reviews.yaml",
      "weft get DestinationRule -n shop --at r12 -o wide",
    ],
  });
  command.action((kind: string, name: string | undefined) => get(command, kind, name));
}

async function get(command: Command, kind: string, name: string | undefined): Promise<void> {
  const options = globalOptions(command);
  const { output, at } = command.opts() as { output: Form; at?: number };
  const terminal = createTerminal();
  const then = at === undefined ? {} : { at: BigInt(at) };
  if (name === undefined) {
    const wanted = kind === "all" ? "" : kindNamed(kind);
    const namespace = options.namespace ?? "";
    const response = await connectApi(options).list({ kind: wanted, namespace, ...then });
    if (output === "json") return printJson(terminal, ListResponseSchema, response);
    return print(terminal, response.resources, output);
  }
  const response = await connectApi(options).get({ ref: refOf(kind, name, options), ...then });
  if (output === "json") return printJson(terminal, GetResponseSchema, response);
  return print(terminal, response.resource === undefined ? [] : [response.resource], output);
}

function refOf(
  kind: string,
  name: string,
  options: GlobalOptions,
): { kind: string; namespace: string; name: string } {
  const named = kindNamed(kind);
  return { kind: named, namespace: namespaceFor(named, options.namespace), name };
}

async function print(
  terminal: Terminal,
  resources: readonly ResourceView[],
  form: Exclude<Form, "json">,
): Promise<void> {
  switch (form) {
    case "table":
    case "wide":
      if (resources.length === 0) return terminal.say("there is none");
      return writeTable(
        terminal,
        resources,
        columns.filter(({ wide }) => form === "wide" || wide !== true),
      );
    case "jsonl":
      for (const each of resources) printJson(terminal, ResourceViewSchema, each, "jsonl");
      return;
    case "yaml": {
      const texts = await Promise.all(resources.map(({ manifest }) => toYaml(manifest)));
      return terminal.out(texts.join("---\n"));
    }
    case "name":
      for (const { ref } of resources) terminal.out(`${ref?.kind}/${ref?.name}\n`);
  }
}

const columns: readonly Column<ResourceView>[] = [
  { title: "KIND", cell: ({ ref }) => ref?.kind ?? "" },
  { title: "NAMESPACE", cell: ({ ref }) => ref?.namespace ?? "" },
  { title: "NAME", cell: ({ ref }) => ref?.name ?? "" },
  { title: "REV", cell: ({ revision }) => `r${revision}` },
  {
    title: "AGE",
    cell: ({ changedAt }) =>
      changedAt === undefined ? "" : formatAge(Date.now() - timestampMs(changedAt)),
  },
  { title: "BY", cell: ({ changedBy }) => changedBy },
  {
    title: "FROM",
    wide: true,
    cell: ({ origin }) => (origin === undefined ? "" : `${origin.path}:${origin.line}`),
  },
];
