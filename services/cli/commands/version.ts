import type { Command } from "commander";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { createTerminal } from "../terminal.ts";
import { VERSION } from "../version.ts";

export function registerVersion(program: Command): void {
  const command = program.command("version").description("print the version");
  addOutputOption(command, ["table", "json", "yaml", "name"]);
  addHelpSections(command, { examples: ["weft version", "weft version -o json"] });
  command.action(() => {
    const terminal = createTerminal();
    const node = process.versions.node;
    switch (command.opts()["output"] as Form) {
      case "json":
        return terminal.out(`${JSON.stringify({ version: VERSION, node }, null, 2)}\n`);
      case "yaml":
        return terminal.out(`version: ${VERSION}\nnode: ${node}\n`);
      case "name":
        return terminal.out(`${VERSION}\n`);
      default:
        return terminal.out(`weft ${VERSION} (node ${node})\n`);
    }
  });
}
