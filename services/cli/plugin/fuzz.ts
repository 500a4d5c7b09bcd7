import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Finding, FoundScenario, FuzzReport, Scenario } from "@weft/sdk/fuzz";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readText } from "../documents.ts";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form, readDurationSeconds } from "../options.ts";
import { count, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { type BuiltModule, buildFolder, readIfThere } from "./folder.ts";
import { translated, withSdk } from "./sdk.ts";

interface Options {
  readonly seed?: number;
  readonly runs: number;
  /** In seconds. */
  readonly time?: number;
  readonly replay?: string;
  readonly output: Form;
}

/** Runs where neither runs nor a time are told: some seconds for most plugins. */
const RUNS = 1_000;
const RUNS_MAX = 1_000_000_000;
const SEED_MAX = 2 ** 31 - 1;

export function registerFuzz(plugin: Command): void {
  const command = plugin
    .command("fuzz")
    .description("try what nobody thought of: made-up configurations, messages, answers, failures")
    .argument("[folder]", "the plugin's folder", ".")
    .addOption(
      new Option(
        "--seed <number>",
        "make up the same again; another each time, unless told",
      ).argParser(readWhole(SEED_MAX)),
    )
    .addOption(
      new Option("--runs <number>", "how many scenarios to play")
        .argParser(readWhole(RUNS_MAX))
        .default(RUNS),
    )
    .addOption(
      new Option("--time <duration>", "play for so long instead, such as 90s or 15m").argParser(
        readDurationSeconds,
      ),
    )
    .option("--replay <file>", "judge one scenario again, as a finding has left it");
  addOutputOption(command, ["table", "json", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin fuzz extensions/header-stamp",
      "weft plugin fuzz . --time 10m",
      "weft plugin fuzz . --seed 7 --runs 100",
      "weft plugin fuzz . --replay build/fuzz/trap-7.json",
    ],
  });
  command.action((folder: string) => run(command.opts(), folder));
}

async function run(options: Options, folder: string): Promise<void> {
  const fuzzing = await withSdk(() => import("@weft/sdk/fuzz"));
  const built = await buildFolder(folder);
  const terminal = createTerminal();
  if (options.replay !== undefined) {
    return await replay(terminal, built, { ...options, file: options.replay, folder });
  }
  const { knowledge, ignoresChunking } = await know(folder, built);
  const { time, seed = Math.floor(Math.random() * SEED_MAX) } = options;
  const runs = time === undefined ? options.runs : RUNS_MAX;
  const report = await translated(() =>
    fuzzing.fuzz(knowledge, {
      seed,
      runs,
      ignoresChunking,
      ...(time === undefined ? {} : { timeMs: time * 1000 }),
    }),
  );
  await print(terminal, options.output, report);
  const { refused, streams, finding } = report;
  const tried = `${count(report.runs, "run")}, ${refused} refused, ${count(streams, "stream")}`;
  if (finding === null) return terminal.say(`nothing found: ${tried}, seed ${seed}`);
  const file = keep(folder, seed, finding);
  await sayFinding(terminal, finding);
  terminal.say(
    `  found    in run ${report.runs} of seed ${seed}, made smaller in ${finding.shrinks} steps`,
  );
  terminal.say(`  kept in  ${file}`);
  terminal.say(`  again    weft plugin fuzz ${folder} --replay ${file}`);
  process.exitCode = EXIT.no;
}

/** What the plugin's folder tells about it. */
async function know(folder: string, { wasm, sourceMap }: BuiltModule) {
  const { loadBudget, loadPlugin } = await import("@weft/sdk/workshop");
  const { collect } = await import("@weft/sdk/fuzz");
  const { parse } = await import("yaml");
  const told = parse(readIfThere(join(folder, "extension.yaml")) ?? "") as Told | null;
  const examples = told?.examples ?? told?.configuration?.examples ?? [];
  const hasBudget = readIfThere(join(folder, "budget.json")) !== null;
  const budget = hasBudget ? await translated(() => loadBudget(folder)) : null;
  const exchanges = budget?.exchanges.map(({ exchange }) => exchange) ?? [];
  const schemaFile = join(folder, "build", `${basename(resolve(folder))}.schema.json`);
  const schema = JSON.parse(readIfThere(schemaFile) ?? "null") as unknown;
  const dictionary = collect(wasm, exchanges, examples);
  const knowledge = {
    plugin: loadPlugin(wasm, sourceMap),
    dictionary,
    schema,
    examples,
    exchanges,
  };
  return { knowledge, ignoresChunking: told?.fuzz?.chunking === false };
}

/** What is read of extension.yaml here. */
interface Told {
  readonly examples?: readonly unknown[];
  readonly configuration?: { readonly examples?: readonly unknown[] };
  /** `chunking: false` says that what comes out may depend on how bodies are cut. */
  readonly fuzz?: { readonly chunking?: boolean };
}

async function print(terminal: Terminal, form: Form, report: FuzzReport): Promise<void> {
  const told = { ...report, finding: report.finding && findingJson(report.finding) };
  switch (form) {
    case "json":
      return terminal.out(`${JSON.stringify(told, writeBigint, 2)}\n`);
    case "yaml":
      return terminal.out(await toYaml(JSON.parse(JSON.stringify(told, writeBigint))));
    default:
      return writeTable(terminal, Object.entries(report.calls), [
        { title: "CALLBACK", cell: ([name]) => name.replace(/^proxy_/, "") },
        { title: "CALLS", cell: ([, calls]) => (calls === 0 ? "never" : String(calls)) },
      ]);
  }
}

function findingJson({ trap, ...finding }: FoundScenario) {
  return { ...finding, backtrace: trap?.backtrace ?? [] };
}

/** Integers of properties are JSON's numbers. */
function writeBigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

async function sayFinding(terminal: Terminal, { oracle, message, trap }: Finding): Promise<void> {
  const { ORACLES } = await import("@weft/sdk/fuzz");
  const { trapText } = await import("./translate-error.ts");
  terminal.say(terminal.paintError(["red", "bold"], `found: ${ORACLES[oracle]}`));
  terminal.say(`  ${trap === null ? message : trapText(trap)}`);
}

/** Keeps a finding, to be played again until it is mended. */
function keep(folder: string, seed: number, { oracle, scenario }: FoundScenario): string {
  const file = join(folder, "build/fuzz", `${oracle}-${seed}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(plain(scenario), writeBigint, 2)}\n`);
  return file;
}

/** A scenario of one stream is an exchange. */
function plain({ exchanges, order }: Scenario): unknown {
  return exchanges.length === 1 ? exchanges[0] : { exchanges, order };
}

interface Replay extends Options {
  readonly file: string;
  readonly folder: string;
}

async function replay(
  terminal: Terminal,
  { wasm, sourceMap }: BuiltModule,
  options: Replay,
): Promise<void> {
  const { judge, readScenario } = await import("@weft/sdk/fuzz");
  const { loadPlugin } = await import("@weft/sdk/workshop");
  const scenario = await translated(() => readScenario(readText(options.file), options.file));
  const judging = { checksChunking: true, checksMemory: true };
  const { finding } = await translated(() => judge(loadPlugin(wasm, sourceMap), scenario, judging));
  if (options.output === "json") {
    terminal.out(`${JSON.stringify({ finding }, writeBigint, 2)}\n`);
  } else if (options.output === "yaml") {
    terminal.out(await toYaml(JSON.parse(JSON.stringify({ finding }, writeBigint))));
  }
  if (finding === null) return terminal.say(`nothing found in ${options.file}`);
  await sayFinding(terminal, finding);
  process.exitCode = EXIT.no;
}

function readWhole(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= 0 && number <= most) return number;
    throw new InvalidArgumentError(`Give a whole number from 0 to ${most}.`);
  };
}
