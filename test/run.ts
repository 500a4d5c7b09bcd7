// Sets everything up, runs every test, and ends with one line that counts them.
//
//   npm test [vitest filters]

import { resolve } from "node:path";
import type { TestCase, TestModule } from "vitest/node";
import { startVitest } from "vitest/node";
import { generate } from "../infra/gen.ts";
import { installTools } from "../infra/tools.ts";

installTools();
generate();

const root = resolve(import.meta.dirname, "..");
const vitest = await startVitest(process.argv.slice(2), { root, watch: false, run: true });
const modules: TestModule[] = vitest.state.getTestModules();
const cases = modules.flatMap((module): TestCase[] => [...module.children.allTests()]);
const countOf = (state: string): number =>
  cases.filter((test) => test.result().state === state).length;

/** What failed outside any test: a file that does not load, a hook, a stray rejection. */
const broken =
  modules.filter((module) => {
    return module.state() === "failed" && [...module.children.allTests("failed")].length === 0;
  }).length + vitest.state.getUnhandledErrors().length;

const passed = countOf("passed");
const failed = countOf("failed") + broken;
const skipped = countOf("skipped") + countOf("pending");
for (const test of cases.filter((each) => each.result().state === "skipped")) {
  const { note } = test.result() as { note?: string };
  const reason = (note ?? "no reason given").replace(/^skipped: /, "");
  console.log(`skipped: ${reason}  (${test.fullName})`);
}
await vitest.close();
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
