/** Time that stands still until a test moves it. */
export interface VirtualClock {
  /** Nanoseconds since 1970. */
  readonly nowNs: bigint;
  /** Calls back once so much later; the answer calls it off. */
  after(ms: number, act: () => void): () => void;
  /** How long until something falls due; null if nothing will. */
  readonly idleMs: number | null;
  /** Lets time pass and everything happen that falls due meanwhile, in order. */
  advance(ms: number): void;
}

/** Where time begins, unless told otherwise: a fixed date, so that runs repeat. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** What may fall due at one moment: an endless exchange would hang the test otherwise. */
const TIMERS_MAX = 100_000;

const NS_PER_MS = 1_000_000n;

export function createClock(startMs = EPOCH_MS): VirtualClock {
  let nowMs = startMs;
  let order = 0;
  let timers: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];
  return {
    get nowNs() {
      return BigInt(Math.round(nowMs)) * NS_PER_MS;
    },
    get idleMs() {
      return timers.length === 0 ? null : Math.min(...timers.map(({ at }) => at)) - nowMs;
    },
    after: (ms, act) => {
      const timer = { at: nowMs + ms, order: order++, act };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: (ms) => {
      const end = nowMs + ms;
      for (let ran = 0; ; ran++) {
        if (ran > TIMERS_MAX) throw new Error(`more than ${TIMERS_MAX} timers fell due at once`);
        const [next] = timers
          .filter(({ at }) => at <= end)
          .sort((a, b) => a.at - b.at || a.order - b.order);
        if (next === undefined) break;
        timers = timers.filter((other) => other !== next);
        if (next.at > nowMs) [nowMs, ran] = [next.at, 0];
        next.act();
      }
      nowMs = end;
    },
  };
}

/** Random bytes that are the same in every run: mulberry32. */
export function seededRandom(seed: number): (length: number) => Uint8Array {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 24;
  };
  return (length) => Uint8Array.from({ length }, next);
}
