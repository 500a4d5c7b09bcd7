import { WeftError } from "@weft/core/error";
import type { TestOutcome } from "@weft/sdk/workshop";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { toYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";
import { checkFolder, linkSdk } from "./folder.ts";
import { withSdk } from "./sdk.ts";

interface Options {
  readonly watch?: boolean;
  readonly output: Form;
}

export function registerTest(plugin: Command): void {
  const command = plugin
    .command("test")
    .description("run the tests of a plugin's folder, wherever it lies")
    .argument("[folder]", "the plugin's folder", ".")
    .argument("[filters...]", "parts of names of test files: only those are run")
    .option("--watch", "run again what a change is about, until interrupted");
  addOutputOption(command, ["table", "json", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.missing],
    examples: [
      "weft plugin test extensions/header-stamp",
      "weft plugin test . --watch",
      "weft plugin test . -o json | jq .failed",
    ],
  });
  command.action((folder: string, filters: string[]) => run(command.opts(), folder, filters));
}

async function run(options: Options, folder: string, filters: readonly string[]): Promise<void> {
  checkFolder(folder);
  const { runTests, testFiles } = await withSdk(() => import("@weft/sdk/workshop"));
  if (!testFiles(folder).some((file) => fits(file, filters))) {
    const which = filters.length === 0 ? "" : ` with ${filters.join(" or ")} in its name`;
    throw new WeftError("missing", "cli.no_file", `${folder} holds no *.test.ts${which}`);
  }
  await linkSdk(folder);
  const tests = await runTests(folder, {
    filters,
    isWatching: options.watch === true,
    isReporting: options.output === "table",
  });
  const count = (state: TestOutcome["state"]) =>
    tests.filter((test) => test.state === state).length;
  const counts = {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
  const terminal = createTerminal();
  if (options.output === "json") {
    terminal.out(`${JSON.stringify({ ...counts, tests }, null, 2)}\n`);
  } else if (options.output === "yaml") terminal.out(await toYaml({ ...counts, tests }));
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? EXIT.no : EXIT.ok;
}

function fits(file: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => file.includes(filter));
}
