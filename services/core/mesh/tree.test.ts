import fc from "fast-check";
import { expect, test } from "vitest";
import { createReadBudget, readTrees, type Tree } from "./tree.ts";

/** A tree as JSON, without its places. */
function plain(tree: Tree): unknown {
  switch (tree.type) {
    case "scalar":
      return tree.value;
    case "list":
      return tree.items.map(plain);
    case "map":
      return Object.fromEntries(tree.entries.map(({ key, value }) => [key, plain(value)]));
  }
}

function problemsOf(text: string): string[] {
  return readTrees(text).problems.map(({ code, message, at }) => {
    return `${at.line}:${at.column} ${code} ${message}`;
  });
}

test("values, aliases and merged keys are read", () => {
  const text = `
base: &base { a: 1, b: two, c: ~ }
list: [true, 1.5, 'x', "y"]
more: { <<: *base, b: own }
again: *base
`;
  expect(readTrees(text).trees.map(plain)).toEqual([
    {
      base: { a: 1, b: "two", c: null },
      list: [true, 1.5, "x", "y"],
      more: { b: "own", a: 1, c: null },
      again: { a: 1, b: "two", c: null },
    },
  ]);
});

test("any JSON reads as itself", () => {
  const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
  fc.assert(
    fc.property(json, (value) => {
      const [tree] = readTrees(JSON.stringify({ value }, null, 1)).trees;
      // An object with a key that repeats after parsing cannot come out of JSON.stringify.
      expect(tree && JSON.stringify(plain(tree))).toBe(JSON.stringify({ value }));
    }),
  );
});

test("a problem is told at its place", () => {
  expect(problemsOf("a: 1\nb: [1, 2\n")).toMatchObject([
    expect.stringMatching(/^3:1 manifest\.syntax flow sequence/),
  ]);
  expect(problemsOf("a: 1\nb: 2\na: 3\n")).toEqual(["3:1 manifest.syntax key a is there twice"]);
  expect(problemsOf("a: *nobody\n")).toEqual(["1:4 manifest.syntax alias nobody has no anchor"]);
  expect(problemsOf("? [a]\n: 1\n")).toEqual(["1:3 manifest.syntax a key is not a word"]);
  expect(problemsOf("]".repeat(1000))).toEqual(["1:101 manifest.syntax the file is no YAML"]);
  expect(problemsOf("a: !secret x\n")).toEqual(["1:4 manifest.syntax unresolved tag: !secret"]);
});

test("texts that would take long or much are refused", () => {
  const laughs = Array.from({ length: 8 }, (_, index) => {
    return `l${index}: &l${index} [${Array(9)
      .fill(`*l${index - 1}`)
      .join(", ")}]`;
  });
  const refused = {
    huge: `a: ${"x".repeat(2 ** 20)}`,
    deepFlow: "[".repeat(100_000),
    deepMaps: "{a: ".repeat(100_000),
    deepBlocks: "- ".repeat(100_000),
    deepQuestions: "? ".repeat(100_000),
    laughs: `l-1: &l-1 [lol]\n${laughs.join("\n")}`,
    selfReference: "a: &a [*a]",
    manyAliases: `a: &a 1\nb: [${"*a, ".repeat(200)}]`,
    manyDocuments: "--- 1\n".repeat(10_000),
    manyValues: `[${"1,".repeat(300_000)}]`,
    manyComments: "#\n".repeat(200_000),
    manyErrors: "a: b: c\n".repeat(50_000),
  };
  const codes = Object.entries(refused).map(([name, text]) => {
    return [name, readTrees(text).problems.map(({ code }) => code)];
  });
  expect(Object.fromEntries(codes)).toEqual(
    Object.fromEntries(Object.keys(refused).map((name) => [name, ["manifest.too_large"]])),
  );
});

test("all texts of one request share one budget", () => {
  const budget = createReadBudget();
  const text = "- a: 1\n".repeat(20_000);
  expect(readTrees(text, budget).problems).toEqual([]);
  expect(readTrees(text, budget).problems).toMatchObject([{ code: "manifest.too_large" }]);
});

test("many keys are read in a time that grows with their number", () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `key${index}: 1`).join("\n");
  const [tree] = readTrees(text).trees;
  expect(tree?.type === "map" && tree.entries.length).toBe(40_000);
});

test("no text makes the reader throw", () => {
  const pieces = fc.constantFrom(
    ..."a b 1 : - ? & * ! | > ' \" { } [ ] , # % @ ` ~ << --- ... \t".split(" "),
    " ",
    "\n",
    "\n  ",
    "\u0000",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      const { trees, problems } = readTrees(parts.join(""));
      for (const { at } of problems) expect(Math.min(at.line, at.column)).toBeGreaterThan(0);
      expect(trees.length).toBeLessThanOrEqual(parts.length + 1);
    }),
    { numRuns: 2_000 },
  );
});
