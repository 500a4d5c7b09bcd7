import fc from "fast-check";
import { expect, test } from "vitest";
import { renewalTime } from "./identity.ts";
import { createBackoff } from "./pause.ts";

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

test("a certificate is renewed between 45 and 55 % of the time it is held", () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.integer({ min: 3_000, max: 2 ** 36 }),
      fraction,
      (from, life, random) => {
        const due = renewalTime({ heldSinceMs: from, notAfterMs: from + life, random });
        expect(due - from).toBeGreaterThanOrEqual(life * 0.45 - 1);
        expect(due - from).toBeLessThanOrEqual(life * 0.55 + 1);
      },
    ),
  );
});

test("a life of no length does not make a storm of renewals", () => {
  const due = renewalTime({ heldSinceMs: 5_000, notAfterMs: 5_001, random: 0 });
  expect(due).toBe(6_000);
});

test("retries wait twice as long each time, up to a limit, and less at random", () => {
  const slow = createBackoff({ minMs: 100, maxMs: 1_000, random: () => 0 });
  const waits = Array.from({ length: 6 }, () => slow.nextMs());
  expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  slow.reset();
  expect(slow.nextMs()).toBe(100);
  const quick = createBackoff({ minMs: 100, maxMs: 1_000, random: () => 1 });
  expect([quick.nextMs(), quick.nextMs()]).toEqual([50, 100]);
});
