import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { load } from "@weft/sdk/vitest";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

const root = join(import.meta.dirname, "..");
const folders = globSync("*/extension.yaml", { cwd: import.meta.dirname })
  .map(dirname)
  .sort();

/** The configurations that a page shows to be pasted. */
function pasted(page: string): unknown[] {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  const resources = blocks.flatMap((block) => parseAllDocuments(block).map((each) => each.toJS()));
  return resources.flatMap(({ kind, spec }) => (kind === "WasmPlugin" ? [spec.pluginConfig] : []));
}

/** The plugin of the demo, which is an example rather than a plugin to use. */
const DEMO = "header-stamp";

test.each(folders.filter((name) => name !== DEMO))("%s has a page and a story", (name) => {
  const own = [`docs/plugins/${name}.md`, `test/plugins/${name}.test.ts`];
  expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

describe.each(folders)("%s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const manifest = parse(readFileSync(join(folder, "extension.yaml"), "utf8"));
  const plugin = await load(folder);

  test("its tests hold it to a budget", () => {
    const tests = globSync("*.test.ts", { cwd: folder });
    const texts = tests.map((path) => readFileSync(join(folder, path), "utf8"));
    expect(texts.some((text) => text.includes("checkBudget("))).toBe(true);
    expect(existsSync(join(folder, "budget.json"))).toBe(true);
  });

  test("its extension.yaml and package.json tell of the same", () => {
    const own = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect([basename(own.name), own.version]).toEqual([manifest.name, manifest.version]);
    expect(manifest.name).toBe(name);
    expect(manifest.description).toMatch(/^[A-Z].*\.$/);
  });

  test("it takes its examples, and what its page shows", () => {
    const { examples } = manifest;
    const pages = globSync(`docs/plugins/${name}.md`, { cwd: root });
    const shown = pages.flatMap((page) => pasted(readFileSync(join(root, page), "utf8")));
    expect(examples.length).toBeGreaterThan(0);
    for (const configuration of [...examples, ...shown]) plugin.start(configuration);
  });

  test("its page tells each setting", () => {
    for (const path of globSync(`docs/plugins/${name}.md`, { cwd: root })) {
      const page = readFileSync(join(root, path), "utf8");
      const schema = JSON.parse(readFileSync(join(folder, `build/${name}.schema.json`), "utf8"));
      const settings = Object.keys(schema.properties);
      expect(settings.filter((setting) => !page.includes(`\`${setting}\``))).toEqual([]);
    }
  });
});
