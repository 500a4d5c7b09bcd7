import fc from "fast-check";
import { expect, test } from "vitest";
import { diffLines, unifiedDiff } from "./unified-diff.ts";

const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 });

test("what a diff keeps and deletes is the one text, what it keeps and inserts the other", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const rows = diffLines(before, after);
      expect(rows.filter(({ sign }) => sign !== "+").map((row) => row.text)).toEqual(before);
      expect(rows.filter(({ sign }) => sign !== "-").map((row) => row.text)).toEqual(after);
    }),
  );
});

test("a diff keeps as many lines as two texts have in common", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const kept = diffLines(before, after).filter(({ sign }) => sign === " ").length;
      expect(kept).toBe(longestCommon(before, after));
    }),
  );
});

/** Length of the longest common subsequence, the slow way. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const [up, left] = [rows[i - 1]?.[j] ?? 0, rows[i]?.[j - 1] ?? 0];
      const row = rows[i] as number[];
      row[j] = a[i - 1] === b[j - 1] ? (rows[i - 1]?.[j - 1] ?? 0) + 1 : Math.max(up, left);
    }
  }
  return rows[a.length]?.[b.length] ?? 0;
}

test("differences are shown with three lines around them, as diff -u does", () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const after = before.toSpliced(4, 1, "LINE 5").toSpliced(15, 0, "new");
  expect(unifiedDiff(`${before.join("\n")}\n`, `${after.join("\n")}\n`)).toEqual([
    "@@ -2,7 +2,7 @@",
    " line 2",
    " line 3",
    " line 4",
    "-line 5",
    "+LINE 5",
    " line 6",
    " line 7",
    " line 8",
    "@@ -13,6 +13,7 @@",
    " line 13",
    " line 14",
    " line 15",
    "+new",
    " line 16",
    " line 17",
    " line 18",
  ]);
});

test("equal texts differ in nothing, and a text that was not there in all of it", () => {
  expect(unifiedDiff("a\nb\n", "a\nb\n")).toEqual([]);
  expect(unifiedDiff("", "a\nb\n")).toEqual(["@@ -0,0 +1,2 @@", "+a", "+b"]);
  expect(unifiedDiff("a\n", "")).toEqual(["@@ -1,1 +0,0 @@", "-a"]);
});

test("texts that have next to nothing in common are told apart in bounded time", () => {
  const [before, after] = ["a", "b"].map((each) =>
    Array.from({ length: 5_000 }, (_, index) => `${each}${index}`),
  ) as [string[], string[]];
  expect(diffLines(before, after)).toHaveLength(10_000);
});
