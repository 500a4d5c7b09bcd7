import { expect, test } from "vitest";
import { createGate, createRateLimit } from "./limits.ts";

test("a name gets so many in a minute, and others their own", () => {
  let nowMs = 0;
  const limit = createRateLimit({ what: "address", max: 2, clock: { now: () => nowMs } });
  limit.take("a");
  limit.take("a");
  expect(() => limit.take("a")).toThrow("ca.busy: more than 2 requests a minute from address a");
  limit.take("b");
  nowMs = 59_999;
  expect(() => limit.take("a")).toThrow("ca.busy");
  nowMs = 60_000;
  limit.take("a");
});

test("made-up names do not fill the memory: beyond the limit new ones are turned away", () => {
  const limit = createRateLimit({ what: "address", max: 1_000, clock: { now: () => 0 } });
  for (let index = 0; index < 50_000; index++) limit.take(`${index}`);
  expect(() => limit.take("one more")).toThrow("ca.busy");
  limit.take("0");
});

test("a gate lets so many run at a time and is free again when they end, well or not", async () => {
  const gate = createGate(2);
  const [one, two] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const running = [gate.run(() => one.promise), gate.run(() => two.promise)];
  await expect(gate.run(async () => 3)).rejects.toThrow("ca.busy");
  one.resolve(1);
  two.reject(new Error("two"));
  expect(await Promise.allSettled(running)).toEqual([
    { status: "fulfilled", value: 1 },
    { status: "rejected", reason: new Error("two") },
  ]);
  expect(await Promise.all([gate.run(async () => 3), gate.run(async () => 4)])).toEqual([3, 4]);
});
