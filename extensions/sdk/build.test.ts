import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BuildError, buildPlugin, createBuilder } from "./build.ts";
import { createHost } from "./host/index.ts";
import { manifestOf } from "./transform/manifest.ts";

const home = await mkdtemp(join(tmpdir(), "weft-build-"));

afterAll(() => rm(home, { recursive: true }));

/** A plugin in a folder of its own, by the paths and texts of its files. */
async function pluginAt(path: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(home, path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const FILTER = `import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";
import { NAME } from "./name";

@filter("hello")
export class Hello extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.set(NAME, "yes");
    return Action.Continue;
  }
}
`;

const SOURCES = {
  "assembly/index.ts": FILTER,
  "assembly/name.ts": `export const NAME = "x-hello";\n`,
};

/** The headers that a module makes of none. */
function headersBy(wasm: Uint8Array): string[][] {
  const host = createHost(wasm);
  return host
    .openStream(host.start("") ?? 0)
    .requestHeaders([])
    .map((each) => [...each]);
}

test("a plugin needs nothing but its sources, wherever it lies", async () => {
  const folder = await pluginAt("bare", SOURCES);
  const { wasm, schema, types } = await buildPlugin(folder);
  expect(headersBy(wasm)).toEqual([["x-hello", "yes"]]);
  expect(manifestOf(wasm)).toMatchObject({ name: "hello", version: "", roots: ["hello"] });
  expect(await readFile(join(folder, "build", "bare.wasm"))).toEqual(Buffer.from(wasm));
  expect(await readFile(join(folder, "build", "bare.schema.json"), "utf8")).toBe(schema);
  expect([JSON.parse(schema).title, types]).toEqual(["hello", ""]);
});

test("the same sources make the same module under any path and beside any packages", async () => {
  const stamp = join(import.meta.dirname, "..", "header-stamp");
  const folders = [join(home, "one"), join(home, "a", "longer path", "to é")];
  for (const folder of folders) {
    await cp(join(stamp, "assembly"), join(folder, "assembly"), { recursive: true });
    for (const name of ["asconfig.json", "package.json"]) {
      await cp(join(stamp, name), join(folder, name));
    }
  }
  // What lies in node_modules is not the SDK that builds, and is not asked.
  const [, linked = ""] = folders;
  await mkdir(join(linked, "node_modules", "@weft"), { recursive: true });
  await symlink(import.meta.dirname, join(linked, "node_modules", "@weft", "sdk"));
  const other = await pluginAt("other-sdk", {
    ...SOURCES,
    "node_modules/@weft/sdk/asconfig.json": "{}",
    "node_modules/@weft/sdk/assembly/index.ts": "export const nothing = 0;",
  });
  const digests = await Promise.all(
    [stamp, ...folders].map(async (folder) => {
      return (await buildPlugin(folder)).sha256;
    }),
  );
  expect(new Set(digests).size).toBe(1);
  expect((await buildPlugin(other)).sha256).toBe((await buildPlugin(join(home, "bare"))).sha256);
});

test("a plugin's own settings go before the SDK's", async () => {
  const config = { extends: "@weft/sdk/asconfig.json", options: { maximumMemory: 8 } };
  const folder = await pluginAt("settings", {
    "assembly/index.ts": FILTER,
    "assembly/name.ts": SOURCES["assembly/name.ts"],
    "asconfig.json": JSON.stringify(config),
  });
  const plain = await buildPlugin(join(home, "bare"));
  const { wasm } = await buildPlugin(folder);
  expect(headersBy(wasm)).toEqual([["x-hello", "yes"]]);
  expect(Buffer.compare(wasm, plain.wasm)).not.toBe(0);
});

test("a builder builds again what has changed, and only that", async () => {
  const folder = await pluginAt("again", SOURCES);
  const builder = createBuilder(folder);
  const first = await builder.build();
  expect(headersBy(first.wasm)).toEqual([["x-hello", "yes"]]);
  expect(builder.files).toContain(join(folder, "assembly", "name.ts"));
  expect(await builder.build()).toBe(first);
  await writeFile(join(folder, "assembly", "name.ts"), `export const NAME = "x-good-bye";\n`);
  const [second, same] = await Promise.all([builder.build(), builder.build()]);
  expect([headersBy(second.wasm), same]).toEqual([[["x-good-bye", "yes"]], second]);
});

test("a builder outlives a mistake, and sees the file that was missing", async () => {
  const folder = await pluginAt("mistake", { "assembly/index.ts": FILTER });
  const builder = createBuilder(folder);
  await expect(builder.build()).rejects.toThrow(BuildError);
  await expect(builder.build()).rejects.toThrow("File 'assembly/name.ts' not found.");
  await writeFile(join(folder, "assembly", "name.ts"), SOURCES["assembly/name.ts"]);
  expect(headersBy((await builder.build()).wasm)).toEqual([["x-hello", "yes"]]);
});

test("what a builder makes names its lines, and a release is smaller", async () => {
  const folder = join(home, "bare");
  const [dev, release] = [await createBuilder(folder).build(), await buildPlugin(folder)];
  expect(JSON.parse(dev.sourceMap).sources).toContain("assembly/index.ts");
  expect(dev.wasm.byteLength).toBeGreaterThan(release.wasm.byteLength);
  expect(manifestOf(dev.wasm)).toEqual(manifestOf(release.wasm));
});
