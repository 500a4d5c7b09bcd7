import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["1m30s", 90_000_000_000n],
  ["0.5s", 500_000_000n],
  [".5s", 500_000_000n],
  ["1.s", 1_000_000_000n],
  ["1h", 3_600_000_000_000n],
  ["2h45m1.5ms", 9_900_001_500_000n],
  ["-10us", -10_000n],
  ["+10µs", 10_000n],
  ["0", 0n],
  ["0.0000000001s", 0n],
])("%s is a duration of Go's", (text, nanos) => {
  expect(parseDuration(text)).toBe(nanos);
});

test.each(["", "5", "s", "1 s", "1d", "1s1", ".s", "--1s", "300y", "1e3s", "99999999999h"])(
  "%j is none",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test("what is formatted parses as itself", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanos) => {
      expect(parseDuration(formatDuration(nanos))).toBe(nanos);
    }),
  );
  expect([1_500_000_000n, 60_000_000_000n, -1n].map(formatDuration)).toEqual([
    "1.5s",
    "60s",
    "-0.000000001s",
  ]);
});
