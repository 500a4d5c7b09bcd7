import { dirname } from "node:path";
import type { Difference, Exchange, Outcome, Replayed } from "@weft/sdk/workshop";
import type { Command } from "commander";
import { readText } from "../documents.ts";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { type Column, count, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { isFolder, loadModule } from "./folder.ts";
import { translated, withSdk } from "./sdk.ts";

interface Options {
  readonly against?: string;
  readonly configuration?: string;
  readonly output: Form;
}

export function registerReplay(plugin: Command): void {
  const command = plugin
    .command("replay")
    .description("play exchanges again, and tell what comes out differently")
    .argument("<plugin>", "the plugin's folder, or a .wasm file")
    .argument("<exchanges>", ".jsonl with an exchange a line, or .json with one; - is stdin")
    .option("--against <plugin>", "compare with another build: a folder or a .wasm file")
    .option(
      "--configuration <file|json>",
      "where exchanges tell none; else that of the folder's dev.yaml, or an example",
    );
  addOutputOption(command, ["table", "json", "jsonl", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin replay . monday.jsonl",
      "weft plugin replay . monday.jsonl --against released.wasm",
      `weft plugin replay . monday.jsonl --configuration '{"domain": "example.com"}'`,
      "weft plugin replay . monday.jsonl --against ../before -o json | jq .differences",
    ],
  });
  command.action((path: string, file: string) => run(command.opts(), path, file));
}

async function run(options: Options, path: string, file: string): Promise<void> {
  const { createReplay, loadPlugin, readExchanges } = await withSdk(
    () => import("@weft/sdk/workshop"),
  );
  const name = file === "-" ? "stdin.jsonl" : file;
  const read = await translated(() => readExchanges(readText(file), name));
  const exchanges = await configured(read, path, options);
  const replayOf = async (from: string) => {
    const { wasm, sourceMap } = await loadModule(from);
    return await translated(() => {
      const replay = createReplay(loadPlugin(wasm, sourceMap));
      return exchanges.map((exchange) => replay.play(exchange));
    });
  };
  const after = await replayOf(path);
  const before = options.against === undefined ? null : await replayOf(options.against);
  const terminal = createTerminal();
  const isRecorded = exchanges.some((exchange) => "recorded" in exchange);
  if (before === null && !isRecorded) {
    return await tellOutcomes(terminal, options.output, { exchanges, after });
  }
  await tellDifferences(terminal, options.output, { exchanges, before, after });
}

/** Recordings do not tell what the plugin was configured with: both builds get the same. */
async function configured(
  exchanges: readonly Exchange[],
  path: string,
  { configuration }: Options,
): Promise<readonly Exchange[]> {
  const isTold = (exchange: Exchange) =>
    exchange.configuration !== undefined || exchange.configurationBase64 !== undefined;
  if (exchanges.every(isTold)) return exchanges;
  const { readDevSettings } = await import("./dev-settings.ts");
  const folder = isFolder(path) ? path : dirname(path);
  const settings = readDevSettings(folder, configuration === undefined ? {} : { configuration });
  const { text } = settings.configuration;
  return exchanges.map((exchange) => {
    return isTold(exchange) ? exchange : { ...exchange, configuration: text };
  });
}

interface Compared {
  readonly exchanges: readonly Exchange[];
  /** Of the other build; null where what was recorded is compared with. */
  readonly before: readonly Replayed[] | null;
  readonly after: readonly Replayed[];
}

/** A difference, and in how many exchanges it is. */
interface Counted {
  readonly what: string;
  readonly count: number;
  /** The first exchange that has it, from 1, and what differs there. */
  readonly first: { readonly exchange: number; readonly before: string; readonly after: string };
}

async function tellDifferences(terminal: Terminal, form: Form, compared: Compared): Promise<void> {
  const { differences, recordedOutcome } = await import("@weft/sdk/workshop");
  const { exchanges, before, after } = compared;
  const all = exchanges.map((exchange, index): Difference[] => {
    const base = before === null ? recordedOutcome(exchange) : before[index];
    const now = after[index];
    return base === null || base === undefined || now === undefined ? [] : differences(base, now);
  });
  const counted = countDifferences(all);
  const differing = all.filter(({ length }) => length > 0).length;
  const report = { exchanges: exchanges.length, differing, differences: counted };
  if (form === "json") terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else if (form === "yaml") terminal.out(await toYaml(report));
  else if (form === "jsonl") {
    for (const each of counted) terminal.out(`${JSON.stringify(each)}\n`);
  } else if (counted.length > 0) writeTable(terminal, counted, DIFFERENCES);
  const played = `${count(exchanges.length, "exchange")} played`;
  const base = before === null ? "what was recorded" : "the other build";
  terminal.say(
    differing === 0 ? `${played}: as ${base}` : `${played}: ${differing} differ from ${base}`,
  );
  if (differing > 0) process.exitCode = EXIT.no;
}

const DIFFERENCES: readonly Column<Counted>[] = [
  { title: "DIFFERENCE", cell: ({ what }) => what },
  { title: "EXCHANGES", cell: (row) => String(row.count) },
  { title: "FIRST", cell: ({ first }) => `#${first.exchange}` },
  { title: "BEFORE", cell: ({ first }) => first.before },
  { title: "AFTER", cell: ({ first }) => first.after },
];

function countDifferences(all: readonly (readonly Difference[])[]): Counted[] {
  const counted = new Map<string, Counted>();
  all.forEach((found, index) => {
    for (const { what, before, after } of found) {
      const known = counted.get(what);
      const first = known?.first ?? { exchange: index + 1, before, after };
      counted.set(what, { what, count: (known?.count ?? 0) + 1, first });
    }
  });
  return [...counted.values()].sort((left, right) => right.count - left.count);
}

type Played = Pick<Compared, "exchanges" | "after">;

/** Where there is nothing to compare with: what came out of each. */
async function tellOutcomes(terminal: Terminal, form: Form, played: Played): Promise<void> {
  const rows = played.after.map((outcome, index) => ({
    exchange: index + 1,
    asked: askedOf(played.exchanges[index] as Exchange),
    outcome,
  }));
  const json = () => rows.map(({ exchange, outcome }) => ({ exchange, ...outcomeJson(outcome) }));
  if (form === "json") terminal.out(`${JSON.stringify({ outcomes: json() }, null, 2)}\n`);
  else if (form === "yaml") terminal.out(await toYaml({ outcomes: json() }));
  else if (form === "jsonl") {
    for (const each of json()) terminal.out(`${JSON.stringify(each)}\n`);
  } else writeTable(terminal, rows, OUTCOMES);
  const trapped = rows.filter(({ outcome }) => "trap" in outcome && outcome.trap !== null);
  if (trapped.length === 0) return;
  const { trapText } = await import("./translate-error.ts");
  for (const { exchange, outcome } of trapped) {
    if ("trap" in outcome && outcome.trap !== null) {
      terminal.say(
        `${terminal.paintError("red", `#${exchange} traps`)}: ${trapText(outcome.trap)}`,
      );
    }
  }
  process.exitCode = EXIT.no;
}

interface Row {
  readonly exchange: number;
  readonly asked: string;
  readonly outcome: Replayed;
}

const OUTCOMES: readonly Column<Row>[] = [
  { title: "#", cell: ({ exchange }) => String(exchange) },
  { title: "REQUEST", cell: ({ asked }) => asked },
  { title: "UPSTREAM GETS", cell: ({ outcome }) => sizeOf(outcome, "request") },
  { title: "CLIENT GETS", cell: ({ outcome }) => sizeOf(outcome, "response") },
  { title: "NOTE", cell: ({ outcome }) => noteOf(outcome) },
];

function askedOf(exchange: Exchange): string {
  if (!("request" in exchange)) return "connection";
  const value = (wanted: string) =>
    exchange.request.headers.find(([name]) => name === wanted)?.[1] ?? "";
  return `${value(":method")} ${value(":path")}`.trim() || "request";
}

function sizeOf(outcome: Replayed, direction: "request" | "response"): string {
  if ("refusal" in outcome) return "";
  const passed = outcome[direction];
  if (passed === null) return "nothing";
  const status = passed.headers.find(([name]) => name === ":status")?.[1];
  const parts = [
    ...(status === undefined ? [] : [status]),
    ...(passed.headers.length === 0 ? [] : [count(passed.headers.length, "header")]),
    ...(passed.body.length === 0 ? [] : [count(passed.body.length, "byte")]),
  ];
  return parts.join(", ") || "nothing";
}

function noteOf(outcome: Replayed): string {
  if ("refusal" in outcome) return `refused: ${outcome.refusal}`;
  const { trap, localResponse, held, isReset } = outcome;
  if (trap !== null) return "trapped";
  if (localResponse !== null) return `answered by the plugin: ${localResponse}`;
  if (held !== null) return `${held} held back`;
  return isReset ? "closed by the plugin" : "";
}

/** An outcome as JSON: bodies as text, as files of exchanges have them. */
function outcomeJson(outcome: Replayed): object {
  if ("refusal" in outcome) return outcome;
  const { request, response, trap, logs, metrics, ...rest } = outcome;
  const amounts = Object.entries(metrics).map(([name, value]) => {
    return [name, typeof value === "bigint" ? Number(value) : value.map(Number)] as const;
  });
  return {
    request: messageJson(request),
    response: messageJson(response),
    ...rest,
    logs: logs.map(({ level, message }) => ({ level, message })),
    metrics: Object.fromEntries(amounts),
    trap: trap === null ? null : { message: trap.message, backtrace: trap.backtrace },
  };
}

function messageJson(passed: Outcome["request"]): object | null {
  if (passed === null) return null;
  const { headers, body, trailers } = passed;
  return { headers, body: Buffer.from(body).toString(), trailers };
}
