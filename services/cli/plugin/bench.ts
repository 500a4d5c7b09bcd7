import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WeftError } from "@weft/core/error";
import type { Budget, BudgetedExchange, BudgetFinding, Costs, TimedCost } from "@weft/sdk/workshop";
import type { Command } from "commander";
import { EXIT } from "../exit.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { type Column, count, writeTable } from "../output.ts";
import { toYaml } from "../print.ts";
import { createTerminal, type Terminal } from "../terminal.ts";
import { buildFolder, checkFolder } from "./folder.ts";
import { translated, withSdk } from "./sdk.ts";

export function registerBench(plugin: Command): void {
  const command = plugin
    .command("bench")
    .description("measure what each callback costs, and hold it to the folder's budget.json")
    .argument("[folder]", "the plugin's folder", ".")
    .option("--update", "write what it costs now into budget.json");
  addOutputOption(command, ["table", "json", "jsonl", "yaml"]);
  addHelpSections(command, {
    isOffline: true,
    exits: [EXIT.no, EXIT.badFile, EXIT.missing],
    examples: [
      "weft plugin bench extensions/header-stamp",
      "weft plugin bench . --update",
      "weft plugin bench . -o json | jq '.exchanges[].callbacks[] | {name, fuel}'",
    ],
  });
  command.action((folder: string) => run(command, folder));
}

/** What is printed of an exchange. */
interface Measured {
  readonly name: string;
  readonly callbacks: readonly MeasuredCallback[];
}

interface MeasuredCallback extends TimedCost {
  readonly name: string;
  readonly budget: { readonly fuel: number; readonly hostcalls: number } | null;
}

/** What a budget begins with: one request that every plugin takes. */
const FIRST_BUDGET = JSON.stringify({
  exchanges: {
    "a plain request": {
      request: {
        headers: [
          [":method", "GET"],
          [":path", "/"],
          [":authority", "shop.example"],
        ],
      },
      response: { headers: [[":status", "200"]] },
    },
  },
});

async function run(command: Command, folder: string): Promise<void> {
  const { update = false, output } = command.opts() as { update?: boolean; output: Form };
  checkFolder(folder);
  const { bench, compare, loadPlugin, withCosts } = await withSdk(
    () => import("@weft/sdk/workshop"),
  );
  const { file, content, budget } = await readOrBegin(folder, update);
  const { name, sha256, wasm, sourceMap } = await buildFolder(folder);
  const plugin = loadPlugin(wasm, sourceMap);
  const measured = await translated(() =>
    budget.exchanges.map((each) => ({ each, costs: bench(plugin, each.exchange) })),
  );
  const findings = measured.flatMap(({ each, costs }) => compare(each, costs));
  const exchanges = measured.map(({ each, costs }) => measuredOf(each, costs));
  const terminal = createTerminal();
  await print(terminal, output, { plugin: name, sha256, exchanges, findings });
  if (!update) return await judge(terminal, folder, findings);
  const costs = new Map(measured.map(({ each, costs }) => [each.name, costs]));
  const next = withCosts(content, costs);
  if (next !== content) writeFileSync(file, next);
  terminal.say(next === content ? `${file} says so already` : `${file} holds these costs now`);
}

interface BudgetText {
  readonly file: string;
  readonly content: string;
  readonly budget: Budget;
}

/** The budget of the folder; a first one, if there is none and one is to be written. */
async function readOrBegin(folder: string, mayBegin: boolean): Promise<BudgetText> {
  const { BUDGET_FILE, loadBudget, readBudget } = await import("@weft/sdk/workshop");
  const file = join(folder, BUDGET_FILE);
  if (!existsSync(file)) {
    if (mayBegin) return { file, content: FIRST_BUDGET, budget: readBudget(FIRST_BUDGET, file) };
    throw new WeftError("missing", "plugin.no_budget", `${folder} holds no ${BUDGET_FILE}`);
  }
  const { content, ...budget } = await translated(() => loadBudget(folder));
  return { file, content, budget };
}

function measuredOf({ name, costs }: BudgetedExchange, measured: Costs<TimedCost>): Measured {
  const callbacks = [...measured].map(([callback, cost]) => {
    return { name: callback, ...cost, budget: costs?.get(callback) ?? null };
  });
  return { name, callbacks };
}

interface Report {
  readonly plugin: string;
  readonly sha256: string;
  readonly exchanges: readonly Measured[];
  readonly findings: readonly BudgetFinding[];
}

async function print(terminal: Terminal, form: Form, report: Report): Promise<void> {
  switch (form) {
    case "json":
      return terminal.out(`${JSON.stringify(report, null, 2)}\n`);
    case "jsonl":
      for (const each of report.exchanges) terminal.out(`${JSON.stringify(each)}\n`);
      return;
    case "yaml":
      return terminal.out(await toYaml(report));
    default: {
      const rows = report.exchanges.flatMap(({ name, callbacks }) =>
        callbacks.map((callback, index) => ({ exchange: index === 0 ? name : "", callback })),
      );
      writeTable(terminal, rows, COLUMNS);
    }
  }
}

interface Row {
  readonly exchange: string;
  readonly callback: MeasuredCallback;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "EXCHANGE", cell: ({ exchange }) => exchange || " " },
  { title: "CALLBACK", cell: ({ callback }) => callback.name.replace(/^proxy_/, "") },
  { title: "NS", cell: ({ callback }) => String(callback.ns) },
  { title: "FUEL", cell: ({ callback }) => String(callback.fuel) },
  { title: "HOSTCALLS", cell: ({ callback }) => String(callback.hostcalls) },
  { title: "COPIED", cell: ({ callback }) => String(callback.bytesCopied) },
  { title: "ALLOCATIONS", cell: ({ callback }) => String(callback.allocations) },
  {
    title: "BUDGET",
    cell: budgetText,
    paint: (terminal, row, text) => terminal.paint(mood(row), text),
  },
];

/** By how much it is over, or under. */
function budgetText({ callback }: Row): string {
  const { budget, fuel, hostcalls } = callback;
  if (budget === null) return "none";
  const differences = [
    [fuel - budget.fuel, "fuel"],
    [hostcalls - budget.hostcalls, "host calls"],
  ] as const;
  const told = differences
    .filter(([by]) => by !== 0)
    .map(([by, what]) => `${by > 0 ? "+" : ""}${by} ${what}`);
  return told.join(", ") || "kept";
}

function mood({ callback: { budget, fuel, hostcalls } }: Row): "red" | "green" {
  const isKept = budget !== null && fuel <= budget.fuel && hostcalls <= budget.hostcalls;
  return isKept ? "green" : "red";
}

/** Says what is over the budget, or how to tighten it, and ends with 1 if anything is over. */
async function judge(
  terminal: Terminal,
  folder: string,
  findings: readonly BudgetFinding[],
): Promise<void> {
  const { findingsText } = await import("@weft/sdk/workshop");
  const over = findings.filter(({ isOver }) => isOver);
  const update = `weft plugin bench ${folder} --update`;
  if (over.length > 0) {
    terminal.say(terminal.paintError("red", `over budget: ${count(over.length, "finding")}`));
    terminal.say(findingsText(over));
    terminal.say(`make it cheaper, or allow the new costs: ${update}`);
    process.exitCode = EXIT.no;
  } else if (findings.length > 0) {
    terminal.say(`within budget; some callbacks cost less than they may. Tighten it: ${update}`);
  } else terminal.say("within budget");
}
