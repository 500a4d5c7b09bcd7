import { Bytes, SharedUpdate, updateShared } from "@weft/sdk/assembly";

/** A bucket among the data that workers share: when it was looked at, and what it lacked then. */
const STATE_BYTES: i32 = 16;

/** The state that goes to the host. */
@lazy const next = memory.data(STATE_BYTES, 8);

export enum Verdict {
  Allowed,
  Denied,
  /** Other workers were faster each time: it is not known, and so not allowed. */
  Contended,
}

/**
 * Takes a token out of a bucket, which is filled again evenly: `tokens` in each `periodNs`.
 *
 * What a bucket lacks is counted in parts of a token so small that a nanosecond fills a whole
 * number of them: a token has `periodNs` parts, and each nanosecond brings `tokens`. So nothing is
 * ever rounded, and nothing drifts. A full bucket lacks 0, an empty one `burst * periodNs`, which
 * is less than 2^62.
 */
@final
export class Bucket extends SharedUpdate {
  verdict: Verdict = Verdict.Allowed;
  /** Tokens that are left. */
  remaining: u64 = 0;
  /** Until the next token is there, and until all are. */
  nextNs: u64 = 0;
  fullNs: u64 = 0;

  private nowNs: u64 = 0;

  constructor(
    private readonly tokens: u64,
    private readonly periodNs: u64,
    private readonly burst: u64,
  ) {
    super();
  }

  /** Takes a token from the bucket under this key, if it has one. */
  take(key: Bytes, nowNs: u64): Verdict {
    this.nowNs = nowNs;
    this.verdict = Verdict.Contended;
    const isWritten = updateShared<Bytes>(key, this);
    if (!isWritten && this.verdict == Verdict.Allowed) this.verdict = Verdict.Contended;
    return this.verdict;
  }

  apply(old: Bytes | null): Bytes | null {
    let sinceNs = this.nowNs;
    let lacking: u64 = 0;
    if (old != null && old.length == STATE_BYTES) {
      // Another worker may have looked a moment later, on a clock read a moment earlier.
      sinceNs = max(load<u64>(old.start), this.nowNs);
      lacking = this.after(load<u64>(old.start, 8), sinceNs - load<u64>(old.start));
    }
    const capacity = this.burst * this.periodNs;
    const isAllowed = lacking + this.periodNs <= capacity;
    if (isAllowed) lacking += this.periodNs;
    this.verdict = isAllowed ? Verdict.Allowed : Verdict.Denied;
    this.remaining = (capacity - lacking) / this.periodNs;
    this.nextNs = this.timeFor(isAllowed ? 0 : lacking + this.periodNs - capacity);
    this.fullNs = this.timeFor(lacking);
    if (!isAllowed) return null;
    store<u64>(next, sinceNs);
    store<u64>(next, lacking, 8);
    return Bytes.view(next, STATE_BYTES);
  }

  /** What a bucket lacks when some time has passed. */
  private after(lacking: u64, elapsedNs: u64): u64 {
    return elapsedNs >= this.timeFor(lacking) ? 0 : lacking - elapsedNs * this.tokens;
  }

  /** How long it takes to fill in so much. */
  private timeFor(lacking: u64): u64 {
    return (lacking + this.tokens - 1) / this.tokens;
  }
}
