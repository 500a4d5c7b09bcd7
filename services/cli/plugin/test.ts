import { WeftError } from "@weft/core/error";
import type { CoverageRow, CoveredTests, Share } from "@weft/sdk/coverage";
import type { TestOutcome } from "@weft/sdk/workshop";
import { type Command, Option } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { type Column, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { buildFolderForCoverage, checkFolder, linkSdk } from "./folder.ts";
import { withSdk } from "./sdk.ts";

interface Options {
  readonly watch?: boolean;
  readonly coverage?: boolean;
  readonly output: Form;
}

export function registerTest(plugin: Command): void {
  const command = plugin
    .command("test")
    .description("run the tests of a plugin's folder, wherever it lies")
    .argument("[folder]", "the plugin's folder", ".")
    .argument("[filters...]", "parts of names of test files: only those are run")
    .addOption(
      new Option(
        "--coverage",
        "tell what of assembly/ has run; coverage/ has it for other tools",
      ).conflicts("watch"),
    )
    .option("--watch", "run again what a change is about, until interrupted");
  addOutputOption(command, ["table", "json", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin test extensions/header-stamp",
      "weft plugin test . --watch",
      "weft plugin test . --coverage",
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
  using covered = options.coverage === true ? await beginCoverage(folder) : null;
  const tests = await runTests(folder, {
    filters,
    isWatching: options.watch === true,
    isReporting: options.output === "table",
    coveredModule: covered?.module,
  });
  const count = (state: TestOutcome["state"]) =>
    tests.filter((test) => test.state === state).length;
  const counts = {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
  const terminal = createTerminal();
  const coverage = covered === null ? null : await readCoverage(folder, covered);
  const told = { ...counts, tests, ...(coverage === null ? {} : { coverage }) };
  if (options.output === "json") terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  else if (options.output === "yaml") terminal.out(await toYaml(told));
  else if (coverage !== null) await writeCoverageTable(terminal, coverage);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? EXIT.no : EXIT.ok;
}

/** Lays out the plugin's code as it was written, for its tests to run. */
async function beginCoverage(folder: string): Promise<CoveredTests> {
  const { coverTests } = await withSdk(() => import("@weft/sdk/coverage"));
  return coverTests(folder, await buildFolderForCoverage(folder));
}

/** What of the plugin's sources has run, by file; writes it for other tools, too. */
async function readCoverage(folder: string, covered: CoveredTests): Promise<CoverageRow[]> {
  const { coverageRows, writeCoverage } = await import("@weft/sdk/coverage");
  const istanbul = covered.istanbul();
  writeCoverage(folder, istanbul);
  return coverageRows(istanbul, folder);
}

async function writeCoverageTable(terminal: Terminal, rows: readonly CoverageRow[]): Promise<void> {
  const { sumOfRows } = await import("@weft/sdk/coverage");
  writeTable(terminal, [...rows, sumOfRows("all files", rows)], COLUMNS);
}

const COLUMNS: readonly Column<CoverageRow>[] = [
  { title: "FILE", cell: ({ file }) => file },
  shareColumn("STATEMENTS", ({ statements }) => statements),
  shareColumn("BRANCHES", ({ branches }) => branches),
  shareColumn("FUNCTIONS", ({ functions }) => functions),
  shareColumn("LINES", ({ lines }) => lines),
  { title: "NOT RUN", cell: ({ missed }) => ranges(missed) },
  { title: "PARTLY", cell: ({ partly }) => ranges(partly) },
];

/** Whole percents, rounded down: 100 is all. Empty where there is nothing to run. */
function shareColumn(title: string, shareOf: (row: CoverageRow) => Share): Column<CoverageRow> {
  return {
    title,
    cell: (row) => {
      const { run, all } = shareOf(row);
      return all === 0 ? "" : `${Math.floor((100 * run) / all)}%`;
    },
    paint: (terminal, row, text) => {
      const { run, all } = shareOf(row);
      return all === 0 ? text : terminal.paint(run === all ? "green" : "yellow", text);
    },
  };
}

/** `3, 7-9` */
function ranges(lines: readonly number[]): string {
  const starts = lines.filter((line) => !lines.includes(line - 1));
  return starts
    .map((start) => {
      let end = start;
      while (lines.includes(end + 1)) end++;
      return end === start ? String(start) : `${start}-${end}`;
    })
    .join(", ");
}

function fits(file: string, filters: readonly string[]): boolean {
  return filters.length === 0 || filters.some((filter) => file.includes(filter));
}
