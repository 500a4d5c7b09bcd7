import {
  Action, Background, Bytes, filter, getShared, GrpcStatus, HeaderList, Headers,
  HttpFilter, monotonicNs, properties, random64, setShared,
} from "@weft/sdk/assembly";
import { Verdict } from "./bucket";
import { Limit } from "./limit";
import { Settings } from "./settings";

const NS_PER_SECOND: u64 = 1_000_000_000;

/** The digits of the greatest number there is. */
const DIGITS_MAX: usize = 20;

@lazy const digits = memory.data(20, 8);

/** Names a state that nothing was ever in: a value is written with it only where there is none. */
const NO_STATE: u32 = u32.MAX_VALUE;

/** Holds the limits that all streams share. */
@filter("local-rate-limit")
export class Limiter extends Background<Settings> {
  limits: Limit[] = [];
  /** Places keys in buckets; the same for all workers. */
  seed: u32 = 0;

  onConfigure(): bool {
    const name = properties.pluginName();
    const plugin = name == null ? Bytes.of("") : name;
    const rules = this.config.rules;
    for (let i = 0; i < rules.length; i++) this.limits.push(new Limit(plugin, rules[i]));
    this.seed = sharedSeed();
    return true;
  }
}

/** The first worker that asks chooses; the others find what it has chosen. */
function sharedSeed(): u32 {
  const found = getShared("rate-limit-seed");
  if (found != null && found.bytes.length == 4) return load<u32>(found.bytes.start);
  const chosen = Bytes.owned(new ArrayBuffer(4));
  store<u32>(chosen.start, <u32>random64());
  setShared("rate-limit-seed", chosen, NO_STATE);
  const kept = getShared("rate-limit-seed");
  return load<u32>(kept != null && kept.bytes.length == 4 ? kept.bytes.start : chosen.start);
}

/**
 * Bounds how many requests come, over all workers together:
 *
 *     {"rules": [{"name": "login", "match": {"paths": ["/login"]}, "by": ["client"],
 *                 "requests": 10, "per": "minute"}]}
 */
@filter("local-rate-limit")
export class LocalRateLimit extends HttpFilter<Settings> {
  /** What the rule with the fewest tokens left has to tell; a limit of 0 means nothing. */
  private limit: u32 = 0;
  private remaining: u64 = 0;
  private fullNs: u64 = 0;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const limiter = changetype<Limiter>(this.plugin);
    const now = monotonicNs();
    for (let i = 0; i < limiter.limits.length; i++) {
      const limit = limiter.limits[i];
      if (!limit.fits(headers)) continue;
      const verdict = limit.take(headers, limiter.seed, now);
      this.keep(limit, verdict);
      if (verdict != Verdict.Allowed && !this.config.dryRun) return this.deny(limit);
    }
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    if (this.limit == 0 || !this.config.headers || this.config.dryRun) return Action.Continue;
    headers.set("x-ratelimit-limit", decimal(this.limit));
    headers.set("x-ratelimit-remaining", decimal(this.remaining));
    headers.set("x-ratelimit-reset", decimal(secondsOf(this.fullNs)));
    return Action.Continue;
  }

  private keep(limit: Limit, verdict: Verdict): void {
    const remaining = verdict == Verdict.Allowed ? limit.bucket.remaining : 0;
    if (this.limit != 0 && remaining >= this.remaining) return;
    this.limit = limit.burst;
    this.remaining = remaining;
    this.fullNs = limit.bucket.fullNs;
  }

  private deny(limit: Limit): Action {
    const seconds = max(secondsOf(limit.bucket.nextNs), 1);
    const later = new HeaderList().add("retry-after", decimal(seconds));
    return this.respond<string>(
      429, "too many requests\n", later, GrpcStatus.ResourceExhausted, "local_rate_limited",
    );
  }
}

function secondsOf(ns: u64): u64 {
  return (ns + NS_PER_SECOND - 1) / NS_PER_SECOND;
}

/** A number as text, until the next one is asked for. */
function decimal(value: u64): Bytes {
  let at = digits + DIGITS_MAX;
  let rest = value;
  do {
    store<u8>(--at, <u8>(0x30 + rest % 10));
    rest /= 10;
  } while (rest > 0);
  return Bytes.view(at, <i32>(digits + DIGITS_MAX - at));
}
