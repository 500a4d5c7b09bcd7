import type { Cost, Host, HostOptions } from "../host/index.ts";
import type { Exchange } from "./exchange.ts";
import { play } from "./play.ts";
import { type PluginModule, stage } from "./stage.ts";

/** What a callback costs within one exchange. All but `ns` is the same on every machine. */
export interface TimedCost extends Cost {
  /** The least that was measured, on the machine that measured it. */
  readonly ns: number;
}

/** By callback, in the order in which the exchange first calls them. */
export type Costs<C extends Cost = Cost> = ReadonlyMap<string, C>;

/**
 * Counts what an exchange costs. It is played twice in a host of its own and the second time is
 * counted: what is made once in a VM, such as objects made on first use, is no cost of a request.
 * @throws Refusal, Trap
 */
export function count(plugin: PluginModule, exchange: Exchange): Costs {
  const { host, root } = stage(plugin, exchange, { meter: true });
  playWell(host, root, exchange);
  host.resetCosts();
  playWell(host, root, exchange);
  return host.costs;
}

/** Rounds that are timed, and those before them in which V8 compiles what it will. */
const ROUNDS = 400;
const WARM_UP_ROUNDS = 200;

/**
 * As count, with the time that each callback takes in a host without a meter: the least of many
 * rounds, without what the clock itself takes.
 */
export function bench(plugin: PluginModule, exchange: Exchange, rounds = ROUNDS): Costs<TimedCost> {
  const costs = count(plugin, exchange);
  const timer = createTimer();
  const { host, root } = stage(plugin, exchange, { around: timer.around });
  for (let round = 0; round < WARM_UP_ROUNDS; round++) playWell(host, root, exchange);
  timer.reset();
  for (let round = 0; round < rounds; round++) {
    playWell(host, root, exchange);
    timer.endRound();
  }
  return new Map([...costs].map(([name, cost]) => [name, { ...cost, ns: timer.least(name) }]));
}

interface Timer {
  readonly around: NonNullable<HostOptions["around"]>;
  endRound(): void;
  reset(): void;
  least(callback: string): number;
}

const NS_PER_MS = 1_000_000;

/** What reading the clock twice takes is tried so often; the least of it is what it takes. */
const CALIBRATIONS = 10_000;

function createTimer(): Timer {
  const overheadMs = calibrate();
  const round = new Map<string, number>();
  const leastMs = new Map<string, number>();
  return {
    around: (callback, call) => {
      const start = performance.now();
      const answer = call();
      const ms = performance.now() - start - overheadMs;
      round.set(callback, (round.get(callback) ?? 0) + ms);
      return answer;
    },
    endRound: () => {
      for (const [callback, ms] of round) {
        leastMs.set(callback, Math.min(leastMs.get(callback) ?? ms, ms));
      }
      round.clear();
    },
    reset: () => {
      round.clear();
      leastMs.clear();
    },
    least: (callback) => Math.max(0, Math.round((leastMs.get(callback) ?? 0) * NS_PER_MS)),
  };
}

function calibrate(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < CALIBRATIONS; attempt++) {
    const start = performance.now();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A trap is no outcome to measure. */
function playWell(host: Host, root: number, exchange: Exchange): void {
  const { trap } = play(host, root, exchange);
  if (trap !== null) throw trap;
}
