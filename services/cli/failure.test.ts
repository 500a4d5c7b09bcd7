import { expect, test } from "vitest";
import { excerpt } from "./failure.ts";

function shown(text: string, line: number, column: number): string[] {
  return excerpt(text, line, column).map((row) => row.text);
}

test("an excerpt marks the word at the place", () => {
  expect(shown("a: 1\nspec: { weight: most }\n", 2, 17)).toEqual([
    "    2 | spec: { weight: most }",
    "      |                 ^^^^",
  ]);
});

test("an excerpt marks a quoted text as a whole, and one column where no word stands", () => {
  expect(shown('host: "a b"', 1, 7)[1]).toBe("      |       ^^^^^");
  expect(shown("hosts: []", 1, 8)[1]).toBe("      |        ^");
  expect(shown("", 1, 1)).toEqual(["    1 | ", "      | ^"].map((row) => row.trimEnd() && row));
});

test("an excerpt of a long line shows what is around the place", () => {
  const [line = "", mark = ""] = shown(`${"x ".repeat(200)}wrong ${"y ".repeat(200)}`, 1, 401);
  expect(line.length).toBeLessThanOrEqual(110);
  expect(line.slice(mark.indexOf("^"), mark.lastIndexOf("^") + 1)).toBe("wrong");
});

test("an excerpt never steers the terminal", () => {
  expect(shown("a: \u001b[31mred", 1, 4)[0]).toBe("    1 | a: \uFFFD[31mred");
});

test("a place outside the text shows nothing", () => {
  expect(shown("a: 1", 9, 1)).toEqual([]);
  expect(shown("a: 1", 0, 0)).toEqual([]);
});
