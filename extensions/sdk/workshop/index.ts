// The engine of `weft plugin`: exchanges through a plugin in the in-process host, played, measured,
// compared and made up. It opens no socket and starts no process.

export { bench, type Costs, count, type TimedCost } from "./bench.ts";
export {
  type Allowance,
  BUDGET_FILE,
  type Budget,
  type BudgetedExchange,
  type BudgetFinding,
  compare,
  findingText,
  loadBudget,
  readBudget,
  withCosts,
  writeBudget,
} from "./budget.ts";
export { checkBudget, findingsText, judgeBudget } from "./check-budget.ts";
export { type CapabilityChange, compareCapabilities } from "./compare-capabilities.ts";
export { ensureSdk } from "./ensure-sdk.ts";
export {
  bytesOf,
  type Chunk,
  chunkOf,
  type Exchange,
  type ForcedStatus,
  type HttpExchange,
  isTcp,
  type Message,
  type Recorded,
  readExchange,
  readExchanges,
  type TcpExchange,
  type UpstreamAnswer,
} from "./exchange.ts";
export { type Outcome, type Passed, play } from "./play.ts";
export {
  createReplay,
  type Difference,
  differences,
  type Replay,
  type Replayed,
  recordedOutcome,
} from "./replay.ts";
export { runTests, type TestOutcome, type TestRun, testFiles } from "./run-tests.ts";
export { isPluginName, isTaken, scaffold, TEMPLATES, type Template } from "./scaffold.ts";
export { type Place, pathText, Slip, type Step } from "./slip.ts";
export { loadPlugin, type PluginModule, Refusal, type Stage, stage } from "./stage.ts";
