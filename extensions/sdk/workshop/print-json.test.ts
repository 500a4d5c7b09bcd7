import { expect, test } from "vitest";
import { printJson } from "./print-json.ts";

test("what fits on a line of 100 columns stands on one, a comma counted where one follows", () => {
  const [short, long] = ["a".repeat(93), "a".repeat(94)];
  expect(printJson([[short], 1])).toBe(`[\n  ["${short}"],\n  1\n]`);
  expect(printJson([[long], 1])).toBe(`[\n  [\n    "${long}"\n  ],\n  1\n]`);
  expect(printJson([1, [long]])).toBe(`[\n  1,\n  ["${long}"]\n]`);
});

test("objects and lists are opened no deeper than they must be", () => {
  const budget = { name: "x".repeat(90), costs: { a: { fuel: 1 }, b: {} }, list: [] };
  expect(printJson(budget)).toBe(
    `{\n  "name": "${budget.name}",\n  "costs": { "a": { "fuel": 1 }, "b": {} },\n  "list": []\n}`,
  );
});
