import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildForCoverage } from "../build.ts";
import { createHost, type Host } from "../host/index.ts";
import { coverageRows, type Istanbul, istanbulOf, type Location } from "./index.ts";

const sdk = resolve(import.meta.dirname, "..");

/** Builds a plugin of these sources for coverage, and answers how to run and to cover it. */
async function pluginOf(sources: Readonly<Record<string, string>>, from?: string) {
  const folder = await mkdtemp(join(tmpdir(), "weft-coverage-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "assembly"));
  if (from !== undefined) await cp(from, join(folder, "assembly"), { recursive: true });
  for (const [path, text] of Object.entries(sources)) await writeFile(join(folder, path), text);
  // The counts are of code as it was written, even of a plugin that has its own settings.
  const options = { optimizeLevel: 3, shrinkLevel: 2, converge: true };
  const config = { extends: "@weft/sdk/asconfig.json", options, targets: { dev: options } };
  await writeFile(join(folder, "asconfig.json"), JSON.stringify(config));
  const { wasm, sourceMap } = await buildForCoverage(folder);
  return {
    folder,
    start: () => createHost(wasm, { coverage: true }),
    cover: (hosts: readonly Host[], texts?: ReadonlyMap<string, string>) =>
      istanbulOf({
        coverage: hosts.flatMap(({ coverage }) => coverage ?? []),
        ...{ sourceMap, folder, ...(texts && { texts }) },
      }),
  };
}

/** Each thing of a file with its text, shortened to its first line, and its count. */
function shown(istanbul: Istanbul, path: string, text: string) {
  const file = istanbul[path];
  if (file === undefined) throw new Error(`${path} is not covered`);
  const lines = text.split("\n");
  const at = (location: Location | undefined) => {
    if (location === undefined) throw new Error("a count has no place");
    const { start, end } = location;
    const isShort = start.line === end.line;
    return lines[start.line - 1]?.slice(start.column, isShort ? end.column : undefined);
  };
  return {
    s: Object.entries(file.s).map(([key, count]) => [count, at(file.statementMap[key])]),
    f: Object.entries(file.f).map(([key, count]) => [count, file.fnMap[key]?.name]),
    b: Object.entries(file.b).map(([key, counts]) => {
      const { type, locations = [] } = file.branchMap[key] ?? {};
      return [type, ...counts.map((count, i) => [count, at(locations[i])])];
    }),
  };
}

const source = `import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";

@filter("covered")
export class Covered extends HttpFilter {
  private asked: i32 = 0;

  onRequestHeaders(headers: Headers, endOfStream: bool): Action {
    this.asked++;
    const kind = headers.get("kind");
    if (kind == null) return Action.Continue;
    for (let i = 0; i < kind.length; i++) {
      if (kind.at(i) == 0x78 && this.asked > 1) headers.add("x", endOfStream ? sign(i) : "no");
    }
    switch (kind.length) {
      case 1:
      case 2:
        headers.set("short", "yes");
        break;
      case 3:
        headers.set("three", "yes");
        break;
      default:
        headers.set("long", largest<i32>(kind.length, 9).toString());
    }
    return Action.Pause;
  }
}

function sign(at: i32): string {
  return at.toString();
}

function largest<T>(left: T, right: T): T {
  if (left > right) {
    return left;
  } else {
    return right;
  }
}

export function unused(): i32 {
  const one = 1;
  return one + 1;
}
`;

test("statements, functions and branches of a plugin are counted as they ran", async () => {
  const { folder, start, cover } = await pluginOf({ "assembly/index.ts": source });
  const [first, second] = [start(), start()];
  const streams = [first, second].map((host) => host.openStream(host.start("") ?? 0));
  streams[0]?.requestHeaders([]);
  streams[0]?.requestHeaders([["kind", "xy"]]);
  streams[1]?.requestHeaders([["kind", "xylophones"]]);
  const path = join(folder, "assembly/index.ts");
  const istanbul = cover([first, second]);
  expect(Object.keys(istanbul)).toEqual([path]);
  const asks =
    'if (kind.at(i) == 0x78 && this.asked > 1) headers.add("x", endOfStream ? sign(i) : "no");';
  const adds = 'headers.add("x", endOfStream ? sign(i) : "no")';
  const answers = 'headers.set("long", largest<i32>(kind.length, 9).toString())';
  expect(shown(istanbul, path, source)).toEqual({
    s: [
      [2, "private asked: i32 = 0"],
      [3, "this.asked++"],
      [3, 'const kind = headers.get("kind")'],
      [3, "if (kind == null) return Action.Continue;"],
      [1, "return Action.Continue"],
      [2, "for (let i = 0; i < kind.length; i++) {"],
      [2, "let i = 0"],
      // Two letters, and ten.
      [12, asks],
      [1, adds],
      [2, "switch (kind.length) {"],
      [1, 'headers.set("short", "yes")'],
      [1, "break"],
      [0, 'headers.set("three", "yes")'],
      [0, "break"],
      [1, answers],
      [2, "return Action.Pause"],
      [1, "return at.toString()"],
      [1, "if (left > right) {"],
      [1, "return left"],
      [0, "return right"],
      // Nothing calls it, so there is no code of it.
      [0, "const one = 1"],
      [0, "return one + 1"],
    ],
    f: [
      [3, "onRequestHeaders"],
      [1, "sign"],
      [1, "largest"],
      [0, "unused"],
    ],
    b: [
      ["if", [1, "return Action.Continue"], [2, "if (kind == null) return Action.Continue;"]],
      ["if", [1, adds], [11, asks]],
      ["binary-expr", [12, "kind.at(i) == 0x78"], [2, "this.asked > 1"]],
      ["cond-expr", [1, "sign(i)"], [0, '"no"']],
      [
        "switch",
        [1, 'headers.set("short", "yes");'],
        [0, 'headers.set("three", "yes");'],
        [1, answers],
      ],
      ["if", [1, "{"], [0, "{"]],
    ],
  });
  const [row] = coverageRows(istanbul, folder);
  expect(row).toMatchObject({ missed: [20, 21, 37, 42, 43], partly: [12, 36] });
});

test("Istanbul's shape: lines from 1, columns from 0, everything by number", async () => {
  const text = `import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";

@filter("small")
export class Small extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    if (headers.has("x")) headers.remove("x");
    return Action.Continue;
  }
}
`;
  const { folder, start, cover } = await pluginOf({ "assembly/index.ts": text });
  const host = start();
  host.openStream(host.start("") ?? 0).requestHeaders([]);
  const path = join(folder, "assembly/index.ts");
  const span = (line: number, from: number, to: number, last = line) => ({
    start: { line, column: from },
    end: { line: last, column: to },
  });
  const expected = {
    path,
    statementMap: { 0: span(6, 4, 46), 1: span(6, 26, 45), 2: span(7, 4, 26) },
    fnMap: {
      0: { name: "onRequestHeaders", line: 5, decl: span(5, 2, 18), loc: span(5, 65, 3, 8) },
    },
    branchMap: {
      0: {
        ...{ type: "if", line: 6, loc: span(6, 4, 46) },
        locations: [span(6, 26, 45), span(6, 4, 46)],
      },
    },
    ...{ s: { 0: 1, 1: 0, 2: 1 }, f: { 0: 1 }, b: { 0: [0, 1] } },
  };
  expect(cover([host])).toEqual({ [path]: expected });
  const nobody = { ...expected, s: { 0: 0, 1: 0, 2: 0 }, f: { 0: 0 }, b: { 0: [0, 0] } };
  expect(cover([], new Map([["assembly/other.ts", text]]))).toEqual({
    [path]: nobody,
    [join(folder, "assembly/other.ts")]: { ...nobody, path: join(folder, "assembly/other.ts") },
  });
});

test("requests that go every way through header-stamp cover all of its statements", async () => {
  const { start, cover, folder } = await pluginOf({}, resolve(sdk, "../header-stamp/assembly"));
  const host = start();
  const root = host.start('{"request": {"x-one": "1"}, "response": {"x-two!": "2"}}') ?? 0;
  const stream = host.openStream(root);
  stream.requestHeaders([]);
  stream.responseHeaders([]);
  for (const refused of ['{"request": {"a:": ""}}', '{"request": {"": ""}}', "{}"]) {
    expect(host.start(refused)).toBeNull();
  }
  expect(host.start('{"request": {"a": "1", "A": "2"}}')).toBeNull();
  expect(host.start('{"request": {"a": "\\u0001"}}')).toBeNull();
  const other = host.start('{"request": {"a": "1"}}') ?? 0;
  host.openStream(other).responseHeaders([]);
  const istanbul = cover([host]);
  expect(Object.keys(istanbul)).toEqual(
    ["assembly/stamp.ts", "assembly/stamps.ts"].map((path) => join(folder, path)),
  );
  for (const file of Object.values(istanbul)) {
    expect(Object.entries(file.s).filter(([, count]) => count === 0)).toEqual([]);
  }
});
