import { basename, resolve } from "node:path";
import { count } from "./bench.ts";
import { type Budget, type BudgetFinding, compare, findingText, loadBudget } from "./budget.ts";
import { loadPlugin } from "./stage.ts";

/** Counts every exchange of a budget and tells where it costs more, or less, than it may. */
export function judgeBudget(wasm: Uint8Array, { exchanges }: Budget): BudgetFinding[] {
  const plugin = loadPlugin(wasm);
  return exchanges.flatMap((each) => compare(each, count(plugin, each.exchange)));
}

/** What to say of findings: by exchange, a line each. */
export function findingsText(findings: readonly BudgetFinding[]): string {
  const names = [...new Set(findings.map(({ exchange }) => exchange))];
  return names
    .flatMap((name) => {
      const own = findings.filter(({ exchange }) => exchange === name);
      return [`  ${name}`, ...own.map((finding) => `    ${findingText(finding)}`)];
    })
    .join("\n");
}

/**
 * Throws if a module costs more than the `budget.json` of its folder allows; what it costs less is
 * no failure. @throws Slip, Refusal, Trap
 */
export async function checkBudget(folder: string, wasm: Uint8Array): Promise<void> {
  const over = judgeBudget(wasm, await loadBudget(folder)).filter(({ isOver }) => isOver);
  if (over.length === 0) return;
  const name = basename(resolve(folder));
  throw new Error(
    `${name} is over its budget:\n${findingsText(over)}\n` +
      "Make it cheaper, or allow the new costs with `weft plugin bench --update`.",
  );
}
