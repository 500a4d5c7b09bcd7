import fc from "fast-check";
import { expect, test } from "vitest";
import { createHostSet } from "./host-set.ts";
import { isHostPattern, isWildcard } from "./names.ts";

/** The rule itself: every host name of `narrow` is one of `wide`. */
function covers(wide: string, narrow: string): boolean {
  if (!isWildcard(wide)) return wide.toLowerCase() === narrow.toLowerCase();
  const suffix = wide.slice(1).toLowerCase();
  const rest = isWildcard(narrow) ? narrow.slice(1) : narrow;
  return rest.toLowerCase().endsWith(suffix) && (isWildcard(narrow) || rest.length > suffix.length);
}

const label = fc.constantFrom("a", "B", "a-b", "b-a", "x");
const host = fc
  .tuple(fc.constantFrom("", "*.", "*-"), fc.array(label, { minLength: 1, maxLength: 4 }))
  .map(([head, labels]) => head + labels.join("."))
  .filter(isHostPattern);
const pattern = fc.oneof(
  { weight: 1, arbitrary: fc.constant("*") },
  { weight: 9, arbitrary: host },
);

test("a set of hosts says what a comparison with each of them says", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 6 }), pattern, (hosts, asked) => {
      const set = createHostSet(hosts);
      const covering = hosts.filter((each) => covers(each, asked));
      const overlapping = hosts.filter((each) => covers(each, asked) || covers(asked, each));
      const found = [set.covering(asked), set.overlapping(asked)];
      expect(found.map((each) => each !== undefined)).toEqual([
        covering.length > 0,
        overlapping.length > 0,
      ]);
      if (found[0] !== undefined) expect(covering).toContain(found[0]);
      if (found[1] !== undefined) expect(overlapping).toContain(found[1]);
    }),
    { numRuns: 2_000 },
  );
});

test("a host overlaps with a pattern that covers it, in either order", () => {
  expect(createHostSet(["*.a.com"]).overlapping("x.a.com")).toBe("*.a.com");
  expect(createHostSet(["x.a.com"]).overlapping("*.a.com")).toBe("x.a.com");
  expect(createHostSet(["a.com"]).overlapping("*.a.com")).toBeUndefined();
});
