import type { Duration } from "@bufbuild/protobuf/wkt";

const NANOS_PER_UNIT: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go keeps durations in 63 bits of nanoseconds: about 292 years. */
const NANOS_MAX = (1n << 63n) - 1n;

const NANOS_PER_SECOND = 1_000_000_000n;

/** Nanoseconds of a Go duration such as `1m30s` or `-0.5s`, or undefined if it is none. */
export function parseDuration(text: string): bigint | undefined {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0n;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of rest.matchAll(
    /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = NANOS_PER_UNIT[unit] ?? 1n;
    nanos += BigInt(whole || "0") * scale;
    // Like Go, what is finer than a nanosecond is cut off.
    if (fraction !== "") nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    if (nanos > NANOS_MAX) return undefined;
  }
  return sign === "-" ? -nanos : nanos;
}

/** As ProtoJSON writes it: seconds with as many digits as are needed. */
export function formatDuration(nanos: bigint): string {
  const abs = nanos < 0n ? -nanos : nanos;
  const fraction = (abs % NANOS_PER_SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  const seconds = `${abs / NANOS_PER_SECOND}${fraction === "" ? "" : `.${fraction}`}`;
  return `${nanos < 0n ? "-" : ""}${seconds}s`;
}

export function nanosOf({ seconds, nanos }: Pick<Duration, "seconds" | "nanos">): bigint {
  return seconds * NANOS_PER_SECOND + BigInt(nanos);
}
