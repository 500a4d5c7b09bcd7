import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type CommitView, ShowResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Command } from "commander";
import { connectApi } from "../api.ts";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
  readRevision,
} from "../options.ts";
import { formatTime } from "../output.ts";
import { printJson, printYaml } from "../print.ts";
import { writeDiffs } from "../resource-diff.ts";
import { createTerminal, type Terminal } from "../terminal.ts";

export function registerShow(program: Command): void {
  const command = program
    .command("show")
    .description("show one commit: who, when, why, and each resource before and after")
    .argument("<revision>", "the commit, such as r12", readRevision);
  addGlobalOptions(addOutputOption(command, ["table", "json", "yaml"]));
  addHelpSections(command, {
    exits: [EXIT.missing],
    examples: ["weft show r12", "weft show r12 -o json"],
  });
  command.action((revision: number) => show(command, revision));
}

async function show(command: Command, revision: number): Promise<void> {
  const response = await connectApi(globalOptions(command)).show({ revision: BigInt(revision) });
  const terminal = createTerminal();
  switch (command.opts()["output"] as Form) {
    case "json":
      return printJson(terminal, ShowResponseSchema, response);
    case "yaml":
      return printYaml(terminal, ShowResponseSchema, response);
    default:
      if (response.commit !== undefined) writeHead(terminal, response.commit);
      return writeDiffs(terminal, response.changes, {
        from: `r${revision - 1}`,
        to: `r${revision}`,
      });
  }
}

function writeHead(terminal: Terminal, commit: CommitView): void {
  const { revision, at, actor, source, message, revertOf, rootBefore, commandId } = commit;
  const line = (name: string, text: string): void => {
    if (text !== "") terminal.out(`${name.padEnd(11)}${text}\n`);
  };
  line("revision", terminal.paint("bold", `r${revision}`));
  line("at", at === undefined ? "" : formatTime(timestampMs(at)));
  line("by", `${actor?.id ?? ""} (${actor?.via ?? ""}) with ${source?.kind ?? ""}`);
  line("why", message);
  line("takes back", revertOf === undefined ? "" : `r${revertOf}`);
  line("command", commandId);
  line("stands on", `root ${Buffer.from(rootBefore).toString("hex")}`);
  terminal.out("\n");
}
