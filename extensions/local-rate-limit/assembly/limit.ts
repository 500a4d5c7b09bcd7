import {
  Bytes, ByteWriter, Counter, counterWith, Headers, isPlainPath, matchesPath,
} from "@weft/sdk/assembly";
import { Bucket, Verdict } from "./bucket";
import { Rule } from "./settings";

/** Requests that found a token and that did not, and those that lost against other workers. */
const requests = counterWith("rate_limit_requests_total", ["rule", "verdict"]);

/** The number of a bucket at the end of its key. */
const NUMBER_BYTES: i32 = 4;

/** A rule, ready to be asked. */
@final
export class Limit {
  readonly bucket: Bucket;
  /** How many requests may come at once. */
  readonly burst: u32;
  private readonly rule: Rule;
  private readonly header: Bytes;
  private readonly value: Bytes;
  /** Where the bucket lies; the number at its end changes. */
  private readonly key: Bytes;
  private readonly allowed: Counter;
  private readonly denied: Counter;
  private readonly contended: Counter;

  constructor(plugin: Bytes, rule: Rule) {
    const burst = rule.burst > 0 ? rule.burst : rule.requests;
    this.rule = rule;
    this.burst = burst;
    this.bucket = new Bucket(rule.requests, rule.per.ns, burst);
    this.header = Bytes.of(rule.match.header.toLowerCase());
    this.value = Bytes.of(rule.match.value);
    // What is in a bucket depends on how it is filled: another rule must not find it.
    this.key = new ByteWriter().text("rate-limit\0").text(plugin).byte(0).text(rule.name).byte(0)
      .integer(rule.requests).byte(0x2f).integer(<i64>rule.per.seconds).byte(0)
      .text("\0\0\0\0").finish();
    this.allowed = requests.label(rule.name).label("allowed").get();
    this.denied = requests.label(rule.name).label("denied").get();
    this.contended = requests.label(rule.name).label("contended").get();
  }

  /** Whether the rule is about a request. */
  fits(headers: Headers): bool {
    const match = this.rule.match;
    if (match.paths.length > 0 && !hasPath(headers, match.paths)) return false;
    if (match.methods.length > 0 && !hasMethod(headers, match.methods)) return false;
    return this.header.isEmpty || this.hasHeader(headers);
  }

  private hasHeader(headers: Headers): bool {
    if (this.value.isEmpty) return headers.has(this.header);
    const values = headers.getAll(this.header);
    for (let i = 0; i < values.length; i++) if (values[i].equals(this.value)) return true;
    return false;
  }

  /** Takes a token for a request. */
  take(headers: Headers, seed: u32, nowNs: u64): Verdict {
    const by = this.rule.by;
    const number = by.areNone ? 0 : by.hash(headers, seed) % this.rule.buckets;
    store<u32>(this.key.start + this.key.length - NUMBER_BYTES, number);
    const verdict = this.bucket.take(this.key, nowNs);
    if (verdict == Verdict.Allowed) this.allowed.inc();
    else if (verdict == Verdict.Denied) this.denied.inc();
    else this.contended.inc();
    return verdict;
  }
}

/** A path that an upstream might take for another one could be any of them. */
function hasPath(headers: Headers, patterns: Bytes[]): bool {
  const path = headers.get(":path");
  if (path == null || !isPlainPath(path)) return true;
  for (let i = 0; i < patterns.length; i++) if (matchesPath(path, patterns[i])) return true;
  return false;
}

function hasMethod(headers: Headers, methods: Bytes[]): bool {
  const method = headers.get(":method");
  if (method == null) return false;
  for (let i = 0; i < methods.length; i++) if (methods[i].equals(method)) return true;
  return false;
}
