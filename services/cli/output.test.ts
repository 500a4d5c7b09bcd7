import { expect, test } from "vitest";
import { formatAge, writeTable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

function terminal(columns?: number): Terminal & { readonly text: () => string } {
  let text = "";
  return {
    out: (part) => {
      text += part;
    },
    say() {},
    paint: (_, part) => part,
    paintError: (_, part) => part,
    columns,
    text: () => text,
  };
}

const columns = [
  { title: "NAME", cell: (row: readonly string[]) => row[0] ?? "" },
  { title: "WHY", cell: (row: readonly string[]) => row[1] ?? "" },
];

test("a table is as wide as its cells, and an empty cell is a dash", () => {
  const target = terminal();
  writeTable(
    target,
    [
      ["reviews", "one in ten"],
      ["a", ""],
    ],
    columns,
  );
  expect(target.text()).toBe("NAME     WHY\nreviews  one in ten\na        -\n");
});

test("on a terminal the last column ends at its edge", () => {
  const target = terminal(20);
  writeTable(target, [["reviews", "because it was asked for"]], columns);
  expect(target.text()).toBe("NAME     WHY\nreviews  because it…\n");
});

test("a cell is one line and cannot steer the terminal", () => {
  const target = terminal();
  writeTable(target, [["a\nb\u001b[2J", "x"]], columns);
  expect(target.text()).toBe("NAME     WHY\na b [2J  x\n");
});

test("ages are short", () => {
  const ages = [0, 119_000, 120_000, 7_200_000, 172_800_000].map(formatAge);
  expect(ages).toEqual(["0s", "119s", "2m", "2h", "2d"]);
});
