import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type CommitView,
  CommitViewSchema,
  LogResponseSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { connectApi } from "../api.ts";
import { signOf, subjectOf } from "../changes.ts";
import { kindNamed, namespaceFor } from "../kind-names.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
  readRevision,
} from "../options.ts";
import { type Column, formatAge, formatTime, writeTable } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";

/** Changes that a row names; the rest is counted. */
const CHANGES_SHOWN_MAX = 2;

export function registerLog(program: Command): void {
  const command = program
    .command("log")
    .description("list commits, newest first: who, when, why and what")
    .argument("[resource]", "only those that touched KIND/NAME", readResource)
    .addOption(new Option("--limit <count>", "at most so many").argParser(readLimit).default(50))
    .addOption(new Option("--before <revision>", "older than this").argParser(readRevision));
  addGlobalOptions(addOutputOption(command, ["table", "wide", "json", "jsonl", "yaml", "name"]));
  addHelpSections(command, {
    examples: [
      "weft log",
      "weft log vs/reviews -n shop",
      "weft log --limit 500 -o jsonl | jq -r .message",
    ],
  });
  command.action((resource: string[] | undefined) => log(command, resource));
}

async function log(command: Command, resource: string[] | undefined): Promise<void> {
  const options = globalOptions(command);
  const { output, limit, before } = command.opts() as {
    output: Form;
    limit: number;
    before?: number;
  };
  const [kind, name = ""] = resource ?? [];
  const named = kind === undefined ? undefined : kindNamed(kind);
  const namespace = named === undefined ? "" : namespaceFor(named, options.namespace);
  const response = await connectApi(options).log({
    limit,
    before: BigInt(before ?? 0),
    ...(named === undefined ? {} : { ref: { kind: named, namespace, name } }),
  });
  const terminal = createTerminal();
  switch (output) {
    case "json":
      return printJson(terminal, LogResponseSchema, response);
    case "jsonl":
      for (const each of response.commits) printJson(terminal, CommitViewSchema, each, "jsonl");
      return;
    case "yaml":
      return printYaml(terminal, LogResponseSchema, response);
    case "name":
      for (const { revision } of response.commits) terminal.out(`r${revision}\n`);
      return;
    case "table":
    case "wide":
      if (response.commits.length === 0) return terminal.say("there is none");
      return writeTable(
        terminal,
        response.commits,
        columns.filter(({ wide }) => wide === undefined || wide === (output === "wide")),
      );
  }
}

const columns: readonly (Column<CommitView> & { readonly wide?: boolean })[] = [
  {
    title: "REV",
    cell: ({ revision }) => `r${revision}`,
    paint: (terminal, _, text) => terminal.paint("bold", text),
  },
  { title: "WHEN", wide: false, cell: (commit) => `${formatAge(Date.now() - timeOf(commit))} ago` },
  { title: "WHEN", wide: true, cell: (commit) => formatTime(timeOf(commit)) },
  { title: "WHO", cell: ({ actor }) => actor?.id ?? "" },
  { title: "VIA", cell: ({ source }) => source?.kind ?? "" },
  { title: "HOW KNOWN", wide: true, cell: ({ actor }) => actor?.via ?? "" },
  {
    title: "WHAT",
    cell: whatOf,
    paint: (terminal, { revertOf }, text) =>
      revertOf === undefined ? text : terminal.paint("magenta", text),
  },
  { title: "COMMAND", wide: true, cell: ({ commandId }) => commandId },
  { title: "WHY", cell: ({ message }) => message },
];

function whatOf({ changes, revertOf }: CommitView): string {
  const shown = changes
    .slice(0, CHANGES_SHOWN_MAX)
    .map((change) => `${signOf(change)[0]}${subjectOf(change.ref)}`);
  const more = changes.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  const what = shown.join(", ");
  return revertOf === undefined ? what : `takes back r${revertOf}: ${what}`;
}

function timeOf({ at }: CommitView): number {
  return at === undefined ? 0 : timestampMs(at);
}

function readResource(text: string): string[] {
  const [kind = "", name = "", ...rest] = text.split("/");
  if (kind !== "" && name !== "" && rest.length === 0) return [kind, name];
  throw new InvalidArgumentError("A resource looks like VirtualService/reviews or vs/reviews.");
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError("Give a number from 1 to 1000.");
}
