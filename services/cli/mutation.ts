import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ChangeSummary } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Command } from "commander";
import { writeOutcome } from "./changes.ts";
import { mutationOptions } from "./options.ts";
import { printJson, printYaml } from "./print.ts";
import type { Terminal } from "./terminal.ts";

/** What every answer to a mutation of the mesh tells. */
interface Outcome {
  readonly revision: bigint;
  readonly changes: readonly ChangeSummary[];
}

/** Prints what a mutation did in the form that was asked for; `name` is the revision alone. */
export async function printMutation<D extends DescMessage>(
  terminal: Terminal,
  {
    schema,
    response,
    command,
  }: {
    readonly schema: D;
    readonly response: MessageShape<D> & Outcome;
    readonly command: Command;
  },
): Promise<void> {
  switch (command.opts()["output"] as "table" | "json" | "yaml" | "name") {
    case "table":
      return writeOutcome(terminal, { ...response, ...pick(mutationOptions(command)) });
    case "json":
      return printJson(terminal, schema, response);
    case "yaml":
      return printYaml(terminal, schema, response);
    case "name":
      return terminal.out(`r${response.revision}\n`);
  }
}

function pick({ dryRun }: { readonly dryRun: boolean }): { readonly dryRun: boolean } {
  return { dryRun };
}
