import { GetRootsResponseSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Command } from "commander";
import { connectApi } from "../api.ts";
import { EXIT } from "../exit.ts";
import {
  addGlobalOptions,
  addHelpSections,
  addOutputOption,
  type Form,
  globalOptions,
} from "../options.ts";
import { printJson, printYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";

export function registerCa(program: Command): void {
  const group = program.command("ca").description("print what workloads trust");
  const command = group
    .command("root")
    .description("print the roots that workloads trust, PEM; none of it is secret");
  addGlobalOptions(addOutputOption(command, ["table", "json", "yaml"]));
  addHelpSections(command, {
    exits: [EXIT.missing],
    examples: ["weft ca root > roots.pem", "weft ca root | openssl x509 -noout -text"],
  });
  command.action(() => printRoots(command));
}

async function printRoots(command: Command): Promise<void> {
  const response = await connectApi(globalOptions(command)).getRoots({});
  const terminal = createTerminal();
  switch (command.opts()["output"] as Form) {
    case "json":
      return printJson(terminal, GetRootsResponseSchema, response);
    case "yaml":
      return printYaml(terminal, GetRootsResponseSchema, response);
    default:
      terminal.out(response.roots.join(""));
      terminal.say(`trust domain ${response.trustDomain}`);
  }
}
