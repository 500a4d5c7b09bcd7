import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Change } from "./dev-loop.ts";
import { changesOf, watchFolder } from "./watch-folder.ts";

/** A watched folder, and a wait for the next edit in it. */
function watched() {
  const home = mkdtempSync(join(tmpdir(), "weft-watch-"));
  const folder = join(home, "plugin");
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, "assembly"), { recursive: true });
  write("assembly/index.ts", "0");
  let heard = Promise.withResolvers<Change[]>();
  const settings = join(home, "settings.json");
  const watching = watchFolder({
    folder,
    settingFiles: [settings],
    onEdit: (changes) => heard.resolve([...changes]),
  });
  onTestFinished(() => {
    watching[Symbol.dispose]();
    rmSync(home, { recursive: true });
  });
  const next = async (): Promise<Change[]> => {
    const changes = await heard.promise;
    heard = Promise.withResolvers();
    return changes;
  };
  return { folder, settings, write, next };
}

test("a file that is written and one that is replaced are heard of, again and again", async () => {
  const { folder, write, next } = watched();
  for (let i = 0; i < 3; i++) {
    write("assembly/index.ts", `${i}`);
    expect(await next()).toEqual(["sources"]);
    write("draft~", `renamed ${i}`);
    renameSync(join(folder, "draft~"), join(folder, "assembly/index.ts"));
    expect(await next()).toEqual(["sources"]);
  }
});

test("folders that come later are watched, too", async () => {
  const { folder, write, next } = watched();
  mkdirSync(join(folder, "assembly/deep"));
  write("assembly/deep/first.ts", "1");
  write("assembly/index.ts", "1");
  expect(await next()).toEqual(["sources"]);
  write("assembly/deep/first.ts", "2");
  expect(await next()).toEqual(["sources"]);
});

test("a file of settings elsewhere is heard of, and its neighbours are not", async () => {
  const { settings, next } = watched();
  writeFileSync(`${settings}.other`, "{}");
  writeFileSync(settings, "{}");
  expect(await next()).toEqual(["settings"]);
});

test.each([
  ["assembly/index.ts", ["sources"]],
  ["assembly/deep/a.ts", ["sources"]],
  ["assembly/notes.md", []],
  ["package.json", ["sources"]],
  ["tea.test.ts", ["tests"]],
  ["budget.json", ["tests"]],
  ["dev.yaml", ["settings", "tests"]],
  ["build/tea.wasm", []],
  ["node_modules/a/index.ts", []],
  [".index.ts.swp", []],
  ["assembly/index.ts~", []],
  ["README.md", []],
])("a change of %s is one of %j", (path, changes) => {
  expect(changesOf("/plugins/tea", `/plugins/tea/${path}`)).toEqual(changes);
});
