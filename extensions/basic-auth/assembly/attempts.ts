import { monotonicNs } from "@weft/sdk/assembly";

const NS_PER_SECOND: u64 = 1_000_000_000;

/**
 * Bounds how many passwords a second are hashed: each takes time that a worker has for nobody else,
 * and whoever guesses gets no more guesses than that.
 */
@final
export class Attempts {
  /** When the last one would have come, had they come as evenly as they may. */
  private dueNs: u64 = 0;
  private readonly intervalNs: u64;

  constructor(perSecond: u32) {
    this.intervalNs = perSecond > 0 ? NS_PER_SECOND / perSecond : 0;
  }

  /** Takes one, if there is one left. As many as a second has may come at once. */
  take(): bool {
    if (this.intervalNs == 0) return true;
    const now = monotonicNs();
    const due = max(this.dueNs, now) + this.intervalNs;
    if (due - now > NS_PER_SECOND) return false;
    this.dueNs = due;
    return true;
  }
}
