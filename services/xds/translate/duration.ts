import type { Duration } from "@bufbuild/protobuf/wkt";

/** What a Duration is made of. */
export interface DurationInit {
  readonly seconds: bigint;
  readonly nanos: number;
}

export function seconds(count: number): DurationInit {
  return { seconds: BigInt(count), nanos: 0 };
}

/** Envoy refuses durations that are not above zero in most places: they count as unset. */
export function ifPositive(duration: Duration | undefined): Duration | undefined {
  if (duration === undefined) return undefined;
  return duration.seconds > 0n || (duration.seconds === 0n && duration.nanos > 0)
    ? duration
    : undefined;
}
