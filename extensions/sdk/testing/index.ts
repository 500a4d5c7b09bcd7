// What a plugin's tests import: the plugin, built and ready to start in the host, and matchers for
// vitest. Importing this makes `expect` know them.

import { expect } from "vitest";
import { matchers, type PluginMatchers } from "./matchers.ts";

export type { Header, Host, Stream } from "../host/index.ts";
export { checkBudget } from "./check-budget.ts";
export { type LoadedPlugin, load, type StartedPlugin, type StartOptions } from "./load.ts";

declare module "vitest" {
  interface Matchers<R> extends PluginMatchers<R> {}
}

expect.extend(matchers);
