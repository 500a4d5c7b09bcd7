import type { Clock, Logger } from "@weft/core/runtime";

export interface RenewalOptions {
  /** What is renewed, for the log. */
  readonly what: string;
  /** When the next renewal is due, ms since the epoch; asked again after each. */
  readonly dueAtMs: () => number;
  readonly renew: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Looks at the clock at least so often: clocks are set, machines sleep, and timers end at 24 days. */
const CHECK_MAX_MS = 60_000;

/** Between a renewal that went wrong and the next try; at half of its life there is time for many. */
const RETRY_MS = 5_000;

/** Renews whenever it is due, until the signal. Never rejects: what goes wrong is logged and tried again. */
export async function keepRenewed(options: RenewalOptions): Promise<void> {
  const { what, dueAtMs, renew, clock, log, signal } = options;
  while (!signal.aborted) {
    const leftMs = dueAtMs() - clock.now();
    if (leftMs > 0) {
      await pause(Math.min(leftMs, CHECK_MAX_MS), signal);
      continue;
    }
    try {
      await renew();
      log.info({ what, nextAt: new Date(dueAtMs()).toISOString() }, "renewed");
    } catch (err) {
      if (signal.aborted) return;
      log.error({ what, err }, "renewal will be tried again");
      await pause(RETRY_MS, signal);
    }
  }
}

/** Half of a life that began at the first time and ends at the second. */
export function halfLife(fromMs: number, toMs: number): number {
  return fromMs + (toMs - fromMs) / 2;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
