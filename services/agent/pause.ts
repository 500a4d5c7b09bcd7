/** Waits so long, or until the signal if that is sooner. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Waits that double from one to the other, each shortened at random by up to half. */
export interface Backoff {
  nextMs(): number;
  reset(): void;
}

export function createBackoff(options: {
  readonly minMs: number;
  readonly maxMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}): Backoff {
  const { minMs, maxMs, random } = options;
  let ceilingMs = minMs;
  return {
    nextMs() {
      const waitMs = ceilingMs * (1 - random() / 2);
      ceilingMs = Math.min(ceilingMs * 2, maxMs);
      return waitMs;
    },
    reset() {
      ceilingMs = minMs;
    },
  };
}
