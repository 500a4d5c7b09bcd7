import { checkBudget as check } from "../workshop/index.ts";
import { buildOnce } from "./build-once.ts";

/**
 * Fails if the plugin in a folder costs more than its `budget.json` allows:
 *
 *     test("stays within its budget", () => checkBudget(import.meta.dirname));
 */
export async function checkBudget(folder: string): Promise<void> {
  const { wasm } = await buildOnce(folder);
  await check(folder, wasm);
}
