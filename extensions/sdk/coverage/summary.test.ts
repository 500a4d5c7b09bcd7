import { expect, test } from "vitest";
import { coverageRows, type FileCoverage, type Location, sumOfRows } from "./index.ts";

const on = (line: number, column: number): Location => ({
  start: { line, column },
  end: { line, column: column + 1 },
});

/** What has run of:
 *
 *     3  if (a) b();    a was never true
 *     5  c();
 *     7  if (d) {       d was never true
 *     8    e();
 *     9    if (f) g();
 */
const file: FileCoverage = {
  path: "/plugin/assembly/index.ts",
  // In no order: whoever reads may not expect one.
  statementMap: {
    0: on(9, 4),
    ...{ 1: on(9, 11), 2: on(3, 2), 3: on(3, 9), 4: on(5, 2), 5: on(7, 2), 6: on(8, 4) },
  },
  fnMap: { 0: { name: "run", line: 2, decl: on(2, 0), loc: on(2, 8) } },
  branchMap: {
    0: { type: "if", line: 3, loc: on(3, 2), locations: [on(3, 9), on(3, 2)] },
    1: { type: "if", line: 7, loc: on(7, 2), locations: [on(7, 9), on(7, 2)] },
    2: { type: "if", line: 9, loc: on(9, 4), locations: [on(9, 11), on(9, 4)] },
  },
  s: { 0: 0, 1: 0, 2: 4, 3: 0, 4: 4, 5: 4, 6: 0 },
  f: { 0: 4 },
  b: { 0: [0, 4], 1: [0, 4], 2: [0, 0] },
};

test("a row counts what has run, and tells which lines have not, or only in part", () => {
  const [row] = coverageRows({ [file.path]: file }, "/plugin");
  expect(row).toEqual({
    file: "assembly/index.ts",
    statements: { run: 3, all: 7 },
    branches: { run: 2, all: 6 },
    functions: { run: 1, all: 1 },
    lines: { run: 3, all: 5 },
    missed: [8, 9],
    partly: [3, 7],
  });
});

test("the sum of rows has their counts, and no lines", () => {
  const path = "/plugin/assembly/unused.ts";
  const unused = { ...file, path, f: { 0: 0 }, branchMap: {}, b: {} };
  const rows = coverageRows({ [file.path]: file, [path]: unused }, "/plugin");
  expect(sumOfRows("both", rows)).toEqual({
    file: "both",
    statements: { run: 6, all: 14 },
    branches: { run: 2, all: 6 },
    functions: { run: 1, all: 2 },
    lines: { run: 6, all: 10 },
    missed: [],
    partly: [],
  });
  expect(sumOfRows("nothing", []).lines).toEqual({ run: 0, all: 0 });
});
