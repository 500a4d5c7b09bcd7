import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cost } from "../host/index.ts";
import type { Costs } from "./bench.ts";
import { type Exchange, readExchange } from "./exchange.ts";
import { printJson } from "./print-json.ts";
import { inside, mapOf, objectOf, type Place, parseJson, type Reader, whole } from "./slip.ts";

/** What a callback may cost at most. */
export interface Allowance {
  readonly fuel: number;
  readonly hostcalls: number;
}

/** An exchange with what each callback may cost in it. */
export interface BudgetedExchange {
  readonly name: string;
  readonly exchange: Exchange;
  /** Null before the first `--update`. */
  readonly costs: ReadonlyMap<string, Allowance> | null;
}

export interface Budget {
  readonly file: string;
  readonly exchanges: readonly BudgetedExchange[];
}

/** A callback that does not cost what its budget says, or that has none: then all of it is over. */
export interface BudgetFinding {
  readonly exchange: string;
  readonly callback: string;
  readonly isOver: boolean;
  /** What of it differs; null where there is no budget. */
  readonly measure: keyof Allowance | null;
  readonly actual: Allowance;
  readonly allowed: Allowance | null;
}

export const BUDGET_FILE = "budget.json";

/** More than any callback may take. */
const COST_MAX = Number.MAX_SAFE_INTEGER;

const allowance = objectOf<Allowance>({ fuel: whole(0, COST_MAX), hostcalls: whole(0, COST_MAX) }, [
  "fuel",
  "hostcalls",
]);

const budgeted: Reader<Omit<BudgetedExchange, "name">> = (value, place) => {
  const { costs, ...exchange } = mapOf((each) => each)(value, place);
  const allowances = costs === undefined ? null : mapOf(allowance)(costs, inside(place, "costs"));
  return {
    exchange: readExchange(exchange, place),
    costs: allowances === null ? null : new Map(Object.entries(allowances)),
  };
};

const budgetFields = objectOf<{
  exchanges: Readonly<Record<string, Omit<BudgetedExchange, "name">>>;
}>({ exchanges: mapOf(budgeted) }, ["exchanges"]);

/** Reads a budget. @throws Slip */
export function readBudget(content: string, file: string): Budget {
  const place: Place = { file, path: [] };
  const { exchanges } = budgetFields(parseJson(content, place), place);
  const named = Object.entries(exchanges).map(([name, each]) => ({ name, ...each }));
  return { file, exchanges: named };
}

const MEASURES = ["fuel", "hostcalls"] as const;

/** Compares what an exchange costs with what it may: over the budget, and under it. */
export function compare(budgeted: BudgetedExchange, costs: Costs): BudgetFinding[] {
  const { name, costs: allowed } = budgeted;
  const callbacks = new Set([...costs.keys(), ...(allowed?.keys() ?? [])]);
  return [...callbacks].flatMap((callback): BudgetFinding[] => {
    const most = allowed?.get(callback);
    const { fuel = 0, hostcalls = 0 } = costs.get(callback) ?? {};
    const finding = { exchange: name, callback, actual: { fuel, hostcalls } };
    if (most === undefined) return [{ ...finding, measure: null, allowed: null, isOver: true }];
    const differing = MEASURES.filter((measure) => finding.actual[measure] !== most[measure]);
    return differing.map((measure) => {
      return {
        ...finding,
        measure,
        allowed: most,
        isOver: finding.actual[measure] > most[measure],
      };
    });
  });
}

/** `on_request_headers takes 450 fuel, 410 budgeted (+9.8 %)`. */
export function findingText({ callback, measure, actual, allowed }: BudgetFinding): string {
  const name = callback.replace(/^proxy_/, "");
  if (measure === null || allowed === null) return `${name} has no budget yet: ${texts(actual)}`;
  const [by, most] = [actual[measure], allowed[measure]];
  const share = most === 0 ? "" : ` (${signed(((by - most) / most) * 100)} %)`;
  return `${name} takes ${amountText(measure, by)}, ${most} budgeted${share}`;
}

function texts(amounts: Allowance): string {
  return MEASURES.map((measure) => amountText(measure, amounts[measure])).join(", ");
}

/** `1 host call`, `12 fuel`. */
function amountText(measure: keyof Allowance, amount: number): string {
  if (measure === "fuel") return `${amount} fuel`;
  return `${amount} host call${Math.abs(amount) === 1 ? "" : "s"}`;
}

function signed(percent: number): string {
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)}`;
}

/** The text of a budget with these costs in place of its own; all else stays as it is. */
export function withCosts(content: string, costs: ReadonlyMap<string, Costs>): string {
  const budget = JSON.parse(content) as { exchanges: Record<string, object> };
  for (const [name, exchange] of Object.entries(budget.exchanges)) {
    const measured = costs.get(name);
    if (measured === undefined) continue;
    const entries = [...measured].map(([callback, cost]) => [callback, allowanceOf(cost)] as const);
    budget.exchanges[name] = { ...exchange, costs: Object.fromEntries(entries) };
  }
  return `${printJson(budget)}\n`;
}

function allowanceOf({ fuel, hostcalls }: Cost): Allowance {
  return { fuel, hostcalls };
}

/** The budget of a plugin's folder. @throws Slip; the system's own error if there is none */
export async function loadBudget(folder: string): Promise<Budget & { readonly content: string }> {
  const path = join(folder, BUDGET_FILE);
  const content = await readFile(path, "utf8");
  return { ...readBudget(content, path), content };
}

export async function writeBudget(folder: string, content: string): Promise<void> {
  await writeFile(join(folder, BUDGET_FILE), content);
}
