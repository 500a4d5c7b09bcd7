// Writes all cases for hosts that have no driver in TypeScript: export.ts FOLDER

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, playOf } from "./case.ts";
import { cases } from "./cases.ts";
import { assembleProbe } from "./probe.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("where to? export.ts FOLDER");
  process.exit(2);
}

const fileOf = (id: string, place: number) =>
  `${id.replaceAll(/[^a-z0-9.-]/gi, "_")}${place === 0 ? "" : `.${place}`}.wasm`;

mkdirSync(folder, { recursive: true });
const written = cases.map((one) => {
  const plugins = [one, ...(one.beside ?? []).map((beside) => ({ ...one, ...beside }))];
  const modules = plugins.map(({ probe }, place) => {
    const file = fileOf(one.id, place);
    writeFileSync(join(folder, file), assembleProbe(probe));
    return file;
  });
  return { ...describe(one), modules, play: playOf(one) };
});
writeFileSync(join(folder, "cases.json"), `${JSON.stringify(written, null, 2)}\n`);
console.log(`${written.length} cases in ${folder}`);

/** A case without what its module is made of. */
function describe({ probe: _, beside = [], ...rest }: Case) {
  return { ...rest, beside: beside.map(({ probe: __, ...own }) => own) };
}
