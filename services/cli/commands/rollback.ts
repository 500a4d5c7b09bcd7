import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addMutationOptions,
  addOutputOption,
  globalOptions,
  mutationOptions,
  readRevision,
} from "../options.ts";
import { createTerminal } from "../terminal.ts";

export function registerRollback(program: Command): void {
  const command = program
    .command("rollback")
    .description("take a commit back with a new commit; history stays as it was")
    .argument("<revision>", "the commit, such as r12", readRevision)
    .option("--restore", "make the whole mesh what it was at the revision instead");
  addGlobalOptions(addMutationOptions(addOutputOption(command, ["table", "json", "yaml", "name"])));
  addHelpSections(command, {
    exits: [EXIT.no, EXIT.missing],
    examples: [
      'weft rollback r12 -m "p99 went up"',
      "weft rollback r12 --dry-run",
      'weft rollback r9 --restore -m "back to Monday"',
    ],
  });
  command.action((revision: number) => rollback(command, revision));
}

async function rollback(command: Command, revision: number): Promise<void> {
  const { connectApi, mutationOf } = await import("../api.ts");
  const { RollbackResponseSchema } = await import("@weft/proto/weft/control/v1/control_pb.ts");
  const { printMutation } = await import("../mutation.ts");
  const { sayFindings } = await import("../failure.ts");
  const options = globalOptions(command);
  const response = await connectApi(options).rollback({
    revision: BigInt(revision),
    restore: command.opts()["restore"] ?? false,
    mutation: mutationOf(options, mutationOptions(command)),
  });
  const terminal = createTerminal();
  sayFindings(terminal, response.findings, []);
  await printMutation(terminal, { schema: RollbackResponseSchema, response, command });
}
