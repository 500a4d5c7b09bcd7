import type { Command } from "commander";
import { findVerb, type Verb } from "../find-verb.ts";
import { VALUE_OPTIONS } from "../options.ts";

/** Every verb of `weft plugin`, in the order in which help lists them. */
const VERBS = {
  new: {
    summary: "begin a plugin from a template",
    register: async (plugin) => (await import("../plugin/new.ts")).registerNew(plugin),
  },
  build: {
    summary: "compile a plugin",
    register: async (plugin) => (await import("../plugin/build.ts")).registerBuild(plugin),
  },
  test: {
    summary: "run the tests of a plugin's folder",
    register: async (plugin) => (await import("../plugin/test.ts")).registerTest(plugin),
  },
  bench: {
    summary: "measure what each callback costs, and hold it to its budget",
    register: async (plugin) => (await import("../plugin/bench.ts")).registerBench(plugin),
  },
  dev: {
    summary: "run a plugin in a local Envoy, and swap it at every edit",
    register: async (plugin) => (await import("../plugin/dev.ts")).registerDev(plugin),
  },
  fuzz: {
    summary: "try what nobody thought of",
    register: async (plugin) => (await import("../plugin/fuzz.ts")).registerFuzz(plugin),
  },
  replay: {
    summary: "play exchanges again, and tell what comes out differently",
    register: async (plugin) => (await import("../plugin/replay.ts")).registerReplay(plugin),
  },
  record: {
    summary: "write the requests of a running Envoy as exchanges",
    register: async (plugin) => (await import("../plugin/record.ts")).registerRecord(plugin),
  },
  inspect: {
    summary: "tell what a module holds, and what it can do",
    register: async (plugin) => (await import("../plugin/inspect.ts")).registerInspect(plugin),
  },
  push: {
    summary: "publish a module; a folder is built first",
    register: async (plugin) => (await import("../plugin/push.ts")).registerPush(plugin),
  },
  list: {
    summary: "list what is published",
    register: async (plugin) => (await import("../plugin/list.ts")).registerList(plugin),
  },
} as const satisfies Record<string, Verb>;

/** Adds the group, with the one verb that the arguments name: only its code is loaded. */
export async function registerPlugin(program: Command, args: readonly string[]): Promise<void> {
  const group = program.command("plugin").description("write, test, measure and publish plugins");
  const own = args.slice(args.indexOf("plugin") + 1);
  const verb = findVerb(VERBS, own, VALUE_OPTIONS);
  if (verb !== undefined) return await VERBS[verb].register(group);
  for (const [name, { summary }] of Object.entries(VERBS)) group.command(name).description(summary);
}
