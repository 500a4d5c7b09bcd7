import * as host from "./abi/host";
import { firstLong, firstOut } from "./abi/result";

/** The clocks of WASI. */
enum Clock { Calendar = 0, Monotonic = 1 }

/** Nanoseconds since 1970; 0 where the host does not tell. */
export function unixNs(): u64 {
  return host.clock_time_get(Clock.Calendar, 0, firstOut()) == 0 ? firstLong() : 0;
}

/** Nanoseconds of a clock that only goes forward, to measure with; 0 where there is none. */
export function monotonicNs(): u64 {
  return host.clock_time_get(Clock.Monotonic, 0, firstOut()) == 0 ? firstLong() : 0;
}

/** Sixty-four random bits of the host; 0 where it has none. */
export function random64(): u64 {
  return host.random_get(firstOut(), sizeof<u64>()) == 0 ? firstLong() : 0;
}
