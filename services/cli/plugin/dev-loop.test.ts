import { expect, test } from "vitest";
import { type Cycle, createLoop } from "./dev-loop.ts";

/** A loop on a clock of its own, whose steps take 100, 10 and 1 ms. */
function looping() {
  let [time, builds] = [0, 0];
  const done: string[] = [];
  const cycles: Cycle<number>[] = [];
  /** What a step runs into; and what happens while it runs. */
  const fails = new Map<string, Error>();
  const during = new Map<string, () => void>();
  const step = async (name: string, ms: number): Promise<void> => {
    done.push(name);
    const meanwhile = during.get(name);
    during.delete(name);
    meanwhile?.();
    await Promise.resolve();
    time += ms;
    const error = fails.get(name);
    if (error !== undefined) throw error;
  };
  const loop = createLoop<number>({
    steps: {
      build: async () => {
        await step("build", 100);
        return ++builds;
      },
      test: () => step("test", 10),
      swap: async () => {
        await step("swap", 1);
        return true;
      },
    },
    now: () => time,
    report: (cycle) => cycles.push(cycle),
  });
  return { loop, done, cycles, fails, during, now: () => time };
}

test("an edit of a source is built, tested and swapped, and each step is timed", async () => {
  const { loop, done, cycles } = looping();
  loop.edit(["sources"], -5);
  await loop.idle();
  expect(done).toEqual(["build", "test", "swap"]);
  expect(cycles).toEqual([
    { editMs: 116, ms: { build: 100, test: 10, swap: 1 }, built: 1, isLive: true },
  ]);
});

test("an edit of a test is tested only, and one of the settings swapped only", async () => {
  const { loop, done, cycles, now } = looping();
  loop.edit(["sources"], 0);
  await loop.idle();
  done.length = 0;
  loop.edit(["tests"], now());
  await loop.idle();
  loop.edit(["settings"], now());
  await loop.idle();
  expect(done).toEqual(["test", "swap"]);
  expect(cycles.slice(1).map(({ isLive, ms }) => [isLive, ms])).toEqual([
    [false, { test: 10 }],
    [true, { swap: 1 }],
  ]);
});

test("a red test stops the swap until it is green", async () => {
  const { loop, done, cycles, fails, now } = looping();
  fails.set("test", new Error("red"));
  loop.edit(["sources"], now());
  await loop.idle();
  expect(done).toEqual(["build", "test"]);
  expect(cycles[0]).toMatchObject({ isLive: false, error: new Error("red"), built: 1 });
  loop.edit(["settings"], now());
  await loop.idle();
  expect(done).toEqual(["build", "test", "test"]);
  fails.clear();
  loop.edit(["tests"], now());
  await loop.idle();
  expect(done.slice(3)).toEqual(["test", "swap"]);
  expect(cycles.at(-1)).toMatchObject({ isLive: true, built: 1 });
});

test("what does not compile is built again at the next edit", async () => {
  const { loop, done, cycles, fails, now } = looping();
  loop.edit(["sources"], now());
  await loop.idle();
  fails.set("build", new Error("TS2304"));
  loop.edit(["sources"], now());
  await loop.idle();
  expect(cycles.at(-1)).toMatchObject({ isLive: false, error: new Error("TS2304") });
  fails.clear();
  done.length = 0;
  loop.edit(["sources"], now());
  await loop.idle();
  expect(done).toEqual(["build", "test", "swap"]);
  expect(cycles.at(-1)).toMatchObject({ isLive: true, built: 2 });
});

test("an edit that comes meanwhile overtakes the one before", async () => {
  const { loop, done, cycles, during, now } = looping();
  during.set("test", () => loop.edit(["sources"], now()));
  loop.edit(["sources"], now());
  await loop.idle();
  expect(done).toEqual(["build", "test", "build", "test", "swap"]);
  expect(cycles).toEqual([
    { editMs: 121, ms: { build: 100, test: 10, swap: 1 }, built: 2, isLive: true },
  ]);
});

test("a failure that a newer edit has overtaken is not told", async () => {
  const { loop, cycles, fails, during, now } = looping();
  fails.set("build", new Error("half written"));
  during.set("build", () => {
    loop.edit(["sources"], now());
    during.set("build", () => fails.clear());
  });
  loop.edit(["sources"], now());
  await loop.idle();
  expect(cycles.map(({ error }) => error)).toEqual([undefined]);
});
