import type { Verb } from "./find-verb.ts";

/** Every command, in the order in which help lists them. */
export const VERBS = {
  up: {
    summary: "run NATS and a control plane on this machine",
    register: async (program) => (await import("./commands/up.ts")).registerUp(program),
  },
  serve: {
    summary: "run roles of a control plane on a NATS of your own",
    register: async (program) => (await import("./commands/serve.ts")).registerServe(program),
  },
  agent: {
    summary: "run the agent of one workload, and its Envoy",
    register: async (program) => (await import("./commands/agent.ts")).registerAgent(program),
  },
  apply: {
    summary: "make the mesh what files say, as one commit",
    register: async (program) => (await import("./commands/apply.ts")).registerApply(program),
  },
  delete: {
    summary: "take resources out of the mesh",
    register: async (program) => (await import("./commands/delete.ts")).registerDelete(program),
  },
  get: {
    summary: "show resources, now or at any revision",
    register: async (program) => (await import("./commands/get.ts")).registerGet(program),
  },
  log: {
    summary: "list commits: who, when, why and what",
    register: async (program) => (await import("./commands/log.ts")).registerLog(program),
  },
  show: {
    summary: "show one commit and what it changed",
    register: async (program) => (await import("./commands/show.ts")).registerShow(program),
  },
  diff: {
    summary: "show what differs between two revisions",
    register: async (program) => (await import("./commands/diff.ts")).registerDiff(program),
  },
  rollback: {
    summary: "take a commit back with a new commit",
    register: async (program) => (await import("./commands/rollback.ts")).registerRollback(program),
  },
  ps: {
    summary: "list proxies and how far behind each is",
    register: async (program) => (await import("./commands/ps.ts")).registerPs(program),
  },
  translate: {
    summary: "print what a proxy would get, without a control plane",
    register: async (program) =>
      (await import("./commands/translate.ts")).registerTranslate(program),
  },
  plugin: {
    summary: "write, test, measure and publish Wasm plugins",
    register: async (program, args) =>
      await (await import("./commands/plugin.ts")).registerPlugin(program, args),
  },
  token: {
    summary: "make one-time tokens for workloads",
    register: async (program) => (await import("./commands/token.ts")).registerToken(program),
  },
  ca: {
    summary: "print what workloads trust",
    register: async (program) => (await import("./commands/ca.ts")).registerCa(program),
  },
  explain: {
    summary: "say what an error code means, or which kinds there are",
    register: async (program) => (await import("./commands/explain.ts")).registerExplain(program),
  },
  version: {
    summary: "print the version",
    register: async (program) => (await import("./commands/version.ts")).registerVersion(program),
  },
} as const satisfies Record<string, Verb>;
