import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import type { CoverageRow, TestOutcome } from "@weft/sdk/workshop";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { type Column, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal } from "../terminal.ts";
import { buildFolder, checkFolder, linkSdk } from "./folder.ts";
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
    .option(
      "--coverage",
      "tell which lines of assembly/ have run; coverage/ has it for other tools",
    )
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
  const raw = options.coverage === true ? mkdtempSync(join(tmpdir(), "weft-coverage-")) : undefined;
  const tests = await runTests(folder, {
    filters,
    isWatching: options.watch === true,
    isReporting: options.output === "table",
    coverageFolder: raw,
  });
  const count = (state: TestOutcome["state"]) =>
    tests.filter((test) => test.state === state).length;
  const counts = {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
  const terminal = createTerminal();
  const coverage = raw === undefined ? null : await cover(folder, raw);
  const told = { ...counts, tests, ...(coverage === null ? {} : { coverage }) };
  if (options.output === "json") terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  else if (options.output === "yaml") terminal.out(await toYaml(told));
  else if (coverage !== null) writeTable(terminal, coverage, COLUMNS);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? EXIT.no : EXIT.ok;
}

/** What of the plugin's sources has run, by file; writes it for other tools, too. */
async function cover(folder: string, raw: string): Promise<CoverageRow[]> {
  const { coverageOf, coverageRows, readRaw, writeCoverage } = await import("@weft/sdk/workshop");
  const { wasm, sourceMap } = await buildFolder(folder);
  const runs = readRaw(raw, folder);
  rmSync(raw, { recursive: true });
  const files = coverageOf(folder, { wasm, sourceMap: sourceMap ?? "" }, runs);
  writeCoverage(folder, files);
  return coverageRows(folder, files);
}

const COLUMNS: readonly Column<CoverageRow>[] = [
  { title: "FILE", cell: ({ file }) => file },
  { title: "LINES", cell: ({ lines, linesRun }) => `${linesRun}/${lines}` },
  {
    title: "RUN",
    cell: ({ lines, linesRun }) => `${Math.floor((100 * linesRun) / Math.max(lines, 1))}%`,
    paint: (terminal, { lines, linesRun }, text) =>
      terminal.paint(linesRun === lines ? "green" : "yellow", text),
  },
  { title: "NOT RUN", cell: ({ missed }) => ranges(missed) },
];

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
