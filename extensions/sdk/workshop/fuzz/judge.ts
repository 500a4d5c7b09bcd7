import { isDeepStrictEqual } from "node:util";
import { type Host, Trap } from "../../host/index.ts";
import { bytesOf, type Chunk, chunkOf, type Exchange, isTcp, type Message } from "../exchange.ts";
import { type Outcome, play, settle, stepsOf } from "../play.ts";
import { type PluginModule, Refusal, stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";

/** What must hold of any plugin in any scenario, and what is found where it does not. */
export const ORACLES = {
  trap: "it traps",
  silence: "it refuses a configuration without a word",
  context: "a stream that is over has left its context",
  call: "a callout is never answered nor forgotten",
  memory: "it takes ever more memory",
  chance: "the same scenario ends differently",
  chunking: "what comes out depends on where the body is cut",
} as const;

export type Oracle = keyof typeof ORACLES;

export interface Finding {
  readonly oracle: Oracle;
  readonly message: string;
  /** Of a trap. */
  readonly trap: Trap | null;
}

export interface Judging {
  /** Whether what comes out must not depend on how bodies are cut. */
  readonly checksChunking: boolean;
  /** Whether to repeat the scenario and watch the memory, which takes hundreds of times as long. */
  readonly checksMemory: boolean;
}

/** What was seen: how often each callback ran, and what is wrong. */
export interface Judgement {
  readonly isRefused: boolean;
  readonly calls: ReadonlyMap<string, number>;
  readonly finding: Finding | null;
}

/** Plays a scenario and holds what comes of it against every oracle, the cheap ones first. */
export function judge(plugin: PluginModule, scenario: Scenario, judging: Judging): Judgement {
  const first = run(plugin, scenario);
  const { calls, finding, outcomes } = first;
  const verdict = (found: Finding | null): Judgement => {
    return { isRefused: outcomes === null, calls, finding: found };
  };
  if (finding !== null) return verdict(finding);
  const second = run(plugin, scenario);
  if (!isDeepStrictEqual(outcomes, second.outcomes)) {
    return verdict(found("chance", "played twice, it ends in two ways"));
  }
  if (outcomes === null) return verdict(null);
  return verdict(
    (judging.checksChunking ? cutOtherwise(plugin, scenario) : null) ??
      (judging.checksMemory ? repeat(plugin, scenario) : null),
  );
}

function found(oracle: Oracle, message: string, trap: Trap | null = null): Finding {
  return { oracle, message, trap };
}

interface Ran {
  readonly calls: ReadonlyMap<string, number>;
  readonly finding: Finding | null;
  /** Null for a configuration that is refused. */
  readonly outcomes: readonly unknown[] | null;
}

/** What a callback may execute, and more than any should: what takes longer never ends. */
const FUEL_MAX = 50_000_000;

const NO_CALLS: ReadonlyMap<string, number> = new Map();

function run(plugin: PluginModule, scenario: Scenario): Ran {
  const [first] = scenario.exchanges;
  if (first === undefined) return { calls: NO_CALLS, finding: null, outcomes: [] };
  try {
    const { host, root } = stage(plugin, first, { fuelMax: FUEL_MAX });
    const callsBefore = host.openCalls;
    const outcomes = interleave(host, root, scenario);
    settle(host, () => false);
    const calls = new Map([...host.costs].map(([name, cost]) => [name, cost.calls]));
    return { calls, finding: leftovers(host, callsBefore), outcomes: [...outcomes, host.logs] };
  } catch (error) {
    if (error instanceof Trap) {
      const finding = found("trap", error.message, error);
      return { calls: NO_CALLS, finding, outcomes: null };
    }
    if (!(error instanceof Refusal)) throw error;
    // With a forced status, the words may be what has failed.
    const isSilent = error.isSilent && (first.faults ?? []).length === 0;
    const finding = isSilent ? found("silence", "it logs nothing and answers false") : null;
    return { calls: NO_CALLS, finding, outcomes: null };
  }
}

/** Takes steps of several streams in the order of the scenario. Throws Trap. */
function interleave(host: Host, root: number, { exchanges, order }: Scenario): unknown[] {
  const streams = exchanges.map((exchange) => stepsOf(host, root, exchange));
  const left = streams.map(({ steps }) => [...steps]);
  for (const index of order) left[index % left.length]?.shift()?.();
  for (const steps of left) for (const step of steps.splice(0)) step();
  return streams.map(({ outcome }) => outcome());
}

function leftovers(host: Host, callsBefore: number): Finding | null {
  if (host.openContexts > 1) {
    return found("context", `of ${host.openContexts - 1} streams that are over contexts are left`);
  }
  if (host.openCalls > callsBefore) {
    const open = host.openCalls - callsBefore;
    return found("call", `${open} callout${open === 1 ? " is" : "s are"} open after a minute`);
  }
  return null;
}

/**
 * Rounds after which memory must not grow any more, and those in which it must not: a page is
 * full when each round leaves 66 bytes.
 */
const WARM_ROUNDS = 150;
const WATCHED_ROUNDS = 1_000;

/** Plays the streams again and again in one VM. */
function repeat(plugin: PluginModule, { exchanges }: Scenario): Finding | null {
  const { host, root } = stage(plugin, exchanges[0] as Exchange);
  const rounds = (many: number) => {
    for (let round = 0; round < many; round++) {
      for (const exchange of exchanges) play(host, root, exchange);
      if (host.hasFailed) return;
    }
  };
  rounds(WARM_ROUNDS);
  const before = host.pages;
  rounds(WATCHED_ROUNDS);
  if (host.hasFailed) {
    return found("trap", host.logs.at(-1)?.message ?? "it traps when the scenario is repeated");
  }
  if (host.pages === before) return null;
  const grown = host.pages - before;
  return found("memory", `${grown} pages of 64 KiB more after ${WATCHED_ROUNDS} more rounds`);
}

/** Plays a lone exchange with its bodies cut in other places; forced statuses count calls. */
function cutOtherwise(plugin: PluginModule, { exchanges }: Scenario): Finding | null {
  const [exchange] = exchanges;
  const isApt = exchange !== undefined && exchanges.length === 1;
  if (!isApt || (exchange.faults ?? []).length > 0) return null;
  const whole = outcomeOf(plugin, mapBodies(exchange, inOne));
  for (const [name, cut] of CUTS) {
    const other = outcomeOf(plugin, mapBodies(exchange, cut));
    const difference = firstDifference(whole, other);
    if (difference !== null) {
      return found("chunking", `${difference} when the body comes ${name}, and not in one piece`);
    }
  }
  return null;
}

/** Bodies that are cut at every byte: longer ones would take long. */
const BYTES_CUT_MAX = 64;

const inOne = (body: Uint8Array): Uint8Array[] => [body];

const CUTS: readonly (readonly [string, (body: Uint8Array) => Uint8Array[]])[] = [
  ["with an empty last piece", (body) => [body, new Uint8Array()]],
  ["in halves", (body) => cutAt(body, Math.ceil(body.length / 2))],
  ["byte by byte", (body) => cutAt(body, Math.max(1, Math.ceil(body.length / BYTES_CUT_MAX)))],
];

function cutAt(body: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = body.length === 0 ? [body] : [];
  for (let at = 0; at < body.length; at += size) pieces.push(body.subarray(at, at + size));
  return pieces;
}

function mapBodies(exchange: Exchange, cut: (body: Uint8Array) => Uint8Array[]): Exchange {
  const again = (body: readonly Chunk[]): Chunk[] =>
    cut(Buffer.concat(body.map(bytesOf))).map(chunkOf);
  const inMessage = (message: Message): Message => {
    return message.body === undefined ? message : { ...message, body: again(message.body) };
  };
  if (isTcp(exchange)) {
    const { downstream = [], upstream = [] } = exchange.connection;
    return {
      ...exchange,
      connection: { downstream: again(downstream), upstream: again(upstream) },
    };
  }
  const { request, response } = exchange;
  return {
    ...exchange,
    request: inMessage(request),
    ...(response === undefined ? {} : { response: inMessage(response) }),
  };
}

function outcomeOf(plugin: PluginModule, exchange: Exchange): Outcome {
  const { host, root } = stage(plugin, exchange);
  return play(host, root, exchange);
}

const PARTS = ["headers", "body", "trailers"] as const;

/** What of two outcomes differs, logs and metrics aside. */
function firstDifference(one: Outcome, other: Outcome): string | null {
  if (other.trap !== null && one.trap === null) return `it traps (${other.trap.message})`;
  for (const direction of ["request", "response"] as const) {
    const [left, right] = [one[direction], other[direction]];
    if ((left === null) !== (right === null)) return `the ${direction} goes on or not`;
    for (const part of PARTS) {
      if (isDeepStrictEqual(left?.[part], right?.[part])) continue;
      return `the ${direction}'s ${part} ${part === "body" ? "differs" : "differ"}`;
    }
  }
  if (one.localResponse !== other.localResponse) return "its own answer differs";
  return one.isReset === other.isReset ? null : "it closes the stream or not";
}
