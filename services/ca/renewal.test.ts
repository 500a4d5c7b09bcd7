import { silentLogger } from "@weft/core/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { halfLife, keepRenewed } from "./renewal.ts";

const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function start(renew: (nowMs: number) => void) {
  const stop = new AbortController();
  let dueAtMs = HOUR_MS;
  const done = keepRenewed({
    what: "thing",
    dueAtMs: () => dueAtMs,
    async renew() {
      renew(Date.now());
      dueAtMs = Date.now() + HOUR_MS;
    },
    clock: { now: () => Date.now() },
    log: silentLogger,
    signal: stop.signal,
  });
  return { stop, done };
}

test("a thing is renewed each time it is due, until the end", async () => {
  const times: number[] = [];
  const { stop, done } = start((nowMs) => times.push(nowMs));
  await vi.advanceTimersByTimeAsync(3 * HOUR_MS);
  expect(times).toEqual([HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS]);
  stop.abort();
  await done;
  expect(vi.getTimerCount()).toBe(0);
});

test("a renewal that goes wrong is tried again soon", async () => {
  let tries = 0;
  const { stop, done } = start(() => {
    if (++tries < 3) throw new Error("not yet");
  });
  await vi.advanceTimersByTimeAsync(HOUR_MS + 10_000);
  expect(tries).toBe(3);
  await vi.advanceTimersByTimeAsync(HOUR_MS - 20_000);
  expect(tries).toBe(3);
  stop.abort();
  await done;
});

test("a clock that jumps is noticed within a minute", async () => {
  const times: number[] = [];
  const { stop, done } = start((nowMs) => times.push(nowMs));
  vi.setSystemTime(5 * HOUR_MS);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(times).toEqual([5 * HOUR_MS + 60_000]);
  stop.abort();
  await done;
});

test("half of a life lies in its middle", () => {
  expect(halfLife(1_000, 3_000)).toBe(2_000);
});
