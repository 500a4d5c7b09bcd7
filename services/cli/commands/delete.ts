import { WeftError } from "@weft/core/error";
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

export function registerDelete(program: Command): void {
  const command = program
    .command("delete")
    .description("take resources out of the mesh, as one commit")
    .argument("[kind]", "kind, such as VirtualService or vs")
    .argument("[names...]", "names of resources")
    .option("-f, --filename <path...>", "file, folder or - whose resources go");
  addGlobalOptions(addMutationOptions(addOutputOption(command, ["table", "json", "yaml", "name"])));
  addHelpSections(command, {
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      'weft delete vs reviews -m "no longer needed"',
      "weft delete -f canary.yaml",
      "weft delete se a b c --dry-run",
    ],
  });
  command.action((kind: string | undefined, names: string[]) => remove(command, kind, names));
}

async function remove(command: Command, kind: string | undefined, names: string[]): Promise<void> {
  const paths = (command.opts()["filename"] ?? []) as string[];
  const byName = kind !== undefined;
  if (byName === paths.length > 0 || (byName && names.length === 0)) {
    throw new WeftError("invalid", "cli.usage", "give either KIND NAME or -f FILE");
  }
  const options = globalOptions(command);
  const [{ kindNamed, namespaceFor }, { readDocuments }, { connectApi, mutationOf }, errors] =
    await Promise.all([
      import("../kind-names.ts"),
      import("../documents.ts"),
      import("../api.ts"),
      import("../errors.ts"),
    ]);
  const documents = readDocuments(paths);
  const named = byName ? kindNamed(kind) : undefined;
  const refs =
    named === undefined
      ? []
      : names.map((name) => ({
          kind: named,
          namespace: namespaceFor(named, options.namespace),
          name,
        }));
  const response = await connectApi(options)
    .delete({
      refs,
      documents,
      namespace: options.namespace ?? "",
      mutation: mutationOf(options, mutationOptions(command)),
    })
    .catch((error: unknown) => {
      throw new errors.LocatedError(error, documents);
    });
  const { printMutation } = await import("../mutation.ts");
  const { sayFindings } = await import("../failure.ts");
  const { DeleteResponseSchema } = await import("@weft/proto/weft/control/v1/control_pb.ts");
  const terminal = createTerminal();
  // They are about resources that stay: whatever was read here does not hold them.
  sayFindings(terminal, response.findings, []);
  await printMutation(terminal, { schema: DeleteResponseSchema, response, command });
}
