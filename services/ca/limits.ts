import { WeftError } from "@weft/core/error";
import type { Clock } from "@weft/core/runtime";

/** Requests of one address in a minute: a node of a hundred proxies that all start, five times over. */
export const ADDRESS_REQUESTS_PER_MINUTE_MAX = 600;

/**
 * Certificates for one identity in a minute: each is kept in the log for ever, and a deployment that
 * starts more instances than this at once can wait for the next minute.
 */
export const IDENTITY_CERTIFICATES_PER_MINUTE_MAX = 300;

/** Requests at work at once. Nearly all of that time is spent waiting for the log. */
export const REQUESTS_AT_ONCE_MAX = 512;

/** Names counted in one minute: a count for each is 100 bytes, and more names than this are made up. */
const NAMES_MAX = 50_000;

const WINDOW_MS = 60_000;

/** Counts by name within a minute. */
export interface RateLimit {
  /** @throws WeftError unavailable `ca.busy` */
  take(name: string): void;
}

/** Lets each name through `max` times in a minute of the clock: at worst twice that across its turn. */
export function createRateLimit(options: {
  /** What the names are, for the message. */
  readonly what: string;
  readonly max: number;
  readonly clock: Clock;
}): RateLimit {
  const counts = new Map<string, number>();
  let window = 0;
  return {
    take(name) {
      const current = Math.floor(options.clock.now() / WINDOW_MS);
      if (current !== window) counts.clear();
      window = current;
      const count = counts.get(name) ?? 0;
      if (count >= options.max || (count === 0 && counts.size >= NAMES_MAX)) {
        const message = `more than ${options.max} requests a minute from ${options.what} ${name}`;
        throw new WeftError("unavailable", "ca.busy", message);
      }
      counts.set(name, count + 1);
    },
  };
}

/** Lets `max` run at a time and turns others away at once. */
export function createGate(max: number): { run<T>(work: () => Promise<T>): Promise<T> } {
  let running = 0;
  return {
    async run(work) {
      if (running >= max) {
        throw new WeftError("unavailable", "ca.busy", `${max} requests are at work already`);
      }
      running++;
      try {
        return await work();
      } finally {
        running--;
      }
    },
  };
}
