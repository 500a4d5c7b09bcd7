import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addMutationOptions,
  addOutputOption,
  globalOptions,
  mutationOptions,
} from "../options.ts";
import { createTerminal } from "../terminal.ts";

export function registerApply(program: Command): void {
  const command = program
    .command("apply")
    .description("make the mesh what files say, as one commit; nothing changes if one is refused")
    .requiredOption("-f, --filename <path...>", "file, folder with .yaml files, or - for stdin");
  addGlobalOptions(addMutationOptions(addOutputOption(command, ["table", "json", "yaml", "name"])));
  addHelpSections(command, {
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      'weft apply -f shop.yaml -m "open the shop"',
      "weft apply -f mesh/ --dry-run",
      "weft apply -f canary.yaml --expect-base r41 -o name",
      "cat shop.yaml | weft apply -f - -n shop",
    ],
  });
  command.action(() => apply(command));
}

async function apply(command: Command): Promise<void> {
  const { readDocuments } = await import("../documents.ts");
  const documents = readDocuments(command.opts()["filename"]);
  const [{ connectApi, mutationOf }, { LocatedError }, { sayFindings }] = await Promise.all([
    import("../api.ts"),
    import("../errors.ts"),
    import("../failure.ts"),
  ]);
  const terminal = createTerminal();
  const options = globalOptions(command);
  const request = {
    documents,
    namespace: options.namespace ?? "",
    mutation: mutationOf(options, mutationOptions(command)),
  };
  const response = await connectApi(options)
    .apply(request)
    .catch((error: unknown) => {
      throw new LocatedError(error, documents);
    });
  sayFindings(terminal, response.findings, documents);
  const { printMutation } = await import("../mutation.ts");
  const { ApplyResponseSchema } = await import("@weft/proto/weft/control/v1/control_pb.ts");
  await printMutation(terminal, { schema: ApplyResponseSchema, response, command });
}
