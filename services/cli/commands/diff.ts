import { DiffResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
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
import { printJson, printYaml } from "../print.ts";
import { writeDiffs } from "../resource-diff.ts";
import { createTerminal } from "../terminal.ts";

export function registerDiff(program: Command): void {
  const command = program
    .command("diff")
    .description("show what differs between two revisions")
    .argument("<from>", "older revision, such as r12", readRevision)
    .argument("[to]", "newer revision; the head if none", readRevision)
    .option("--exit-code", "end with 1 if anything differs");
  addGlobalOptions(addOutputOption(command, ["table", "json", "yaml"]));
  addHelpSections(command, {
    exits: [EXIT.no, EXIT.missing],
    examples: ["weft diff r12 r17", "weft diff r12", "weft diff r12 r17 --exit-code > /dev/null"],
  });
  command.action((from: number, to: number | undefined) => diff(command, from, to));
}

async function diff(command: Command, from: number, to: number | undefined): Promise<void> {
  const response = await connectApi(globalOptions(command)).diff({
    from: BigInt(from),
    to: BigInt(to ?? 0),
  });
  const terminal = createTerminal();
  const { output, exitCode } = command.opts() as { output: Form; exitCode?: boolean };
  switch (output) {
    case "json":
      printJson(terminal, DiffResponseSchema, response);
      break;
    case "yaml":
      await printYaml(terminal, DiffResponseSchema, response);
      break;
    default:
      await writeDiffs(terminal, response.changes, {
        from: `r${from}`,
        to: to === undefined ? "head" : `r${to}`,
      });
      if (response.changes.length === 0) terminal.say("nothing differs");
  }
  if (exitCode === true && response.changes.length > 0) process.exitCode = EXIT.no;
}
