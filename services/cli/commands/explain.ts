import { CODES, type Code, WeftError } from "@weft/core/error";
import type { Command } from "commander";
import { EXIT, exitOf } from "../exit.ts";
import { allKinds } from "../kind-names.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";

/** What is known of a code. */
interface Explanation {
  readonly number: string;
  readonly code: string;
  readonly help: string;
  readonly exit: number;
}

export function registerExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("say what an error code means; codes and kinds list what there is")
    .argument("<topic>", "WEFT0105, manifest.unknown_field, codes or kinds");
  addOutputOption(command, ["table", "json", "yaml"]);
  addHelpSections(command, {
    exits: [EXIT.missing],
    examples: ["weft explain WEFT0105", "weft explain kinds", "weft explain codes -o json"],
  });
  command.action((topic: string) => explain(topic, command.opts()["output"]));
}

async function explain(topic: string, form: Form): Promise<void> {
  const terminal = createTerminal();
  if (topic === "kinds") return listKinds(terminal, form);
  const codes = (Object.keys(CODES) as Code[]).map(explanationOf);
  if (topic === "codes") return listCodes(terminal, form, codes);
  const wanted = topic.toLowerCase();
  const found = codes.find(
    ({ number, code }) => number.toLowerCase() === wanted || code === wanted,
  );
  if (found === undefined) {
    throw new WeftError("missing", "cli.unknown_topic", `there is no code ${topic}`);
  }
  if (form !== "table") return printValue(terminal, form, found);
  terminal.out(`${terminal.paint("bold", found.number)}  ${found.code}\n`);
  terminal.out(`  help: ${found.help}\n  exit: ${found.exit}\n`);
}

/** Codes that only ever warn: what they speak of is done all the same. */
const WARNINGS: ReadonlySet<Code> = new Set<Code>([
  "manifest.untranslated",
  "mesh.unknown_delegate",
  "mesh.unknown_gateway",
  "mesh.unknown_host",
  "mesh.unknown_subset",
  "mesh.unreachable_rule",
]);

function explanationOf(code: Code): Explanation {
  const { number, help } = CODES[code];
  return { number, code, help, exit: WARNINGS.has(code) ? EXIT.ok : exitOf(code) };
}

async function listCodes(
  terminal: Terminal,
  form: Form,
  codes: readonly Explanation[],
): Promise<void> {
  const sorted = [...codes].sort((a, b) => (a.number < b.number ? -1 : 1));
  if (form !== "table") return printValue(terminal, form, sorted);
  writeTable(terminal, sorted, [
    { title: "NUMBER", cell: ({ number }) => number },
    { title: "CODE", cell: ({ code }) => code },
    { title: "EXIT", cell: ({ exit }) => String(exit) },
    { title: "HELP", cell: ({ help }) => help },
  ]);
}

async function listKinds(terminal: Terminal, form: Form): Promise<void> {
  const { apiVersionOf } = await import("@weft/core/mesh");
  const kinds = allKinds().map(([kind, aliases]) => {
    return { kind, apiVersion: apiVersionOf(kind), aliases };
  });
  if (form !== "table") return printValue(terminal, form, kinds);
  writeTable(terminal, kinds, [
    { title: "KIND", cell: ({ kind }) => kind },
    { title: "APIVERSION", cell: ({ apiVersion }) => apiVersion },
    { title: "ALSO", cell: ({ aliases }) => aliases.join(", ") },
  ]);
}

async function printValue(terminal: Terminal, form: Form, value: unknown): Promise<void> {
  terminal.out(form === "json" ? `${JSON.stringify(value, null, 2)}\n` : await toYaml(value));
}
