import { globSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { buildPlugin } from "@weft/sdk/build";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { startPluginEnvoy } from "../world/plugin-envoy.ts";

const { wasm } = await buildPlugin(resolve("extensions/header-stamp"));

/** The filters of Envoy's own that the pages of plugins show in their place, by page. */
const filters = globSync("docs/plugins/*.md")
  .sort()
  .flatMap((path) => {
    const blocks = [...readFileSync(path, "utf8").matchAll(/^```yaml\n(.*?)^```/gms)];
    const shown = blocks.flatMap(([, text = ""]) =>
      parseAllDocuments(text).map((each) => each.toJS()),
    );
    return shown.flatMap((each) => {
      return each?.typed_config === undefined ? [] : [[basename(path, ".md"), each] as const];
    });
  });

test.each(filters)("the filter of Envoy's that %s shows is taken by Envoy", async (_, filter) => {
  const configuration = { response: { "x-stamp": "1" } };
  const otherFilters = { before: [filter] };
  await using envoy = await startPluginEnvoy({ wasm, configuration, otherFilters });
  expect((await envoy.fetch("/")).status).toBeLessThan(500);
});
