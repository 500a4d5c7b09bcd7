// Asks a real Envoy all cases, and writes down its answers and the page docs/conformance.md.

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { cases } from "./cases.ts";
import { drive } from "./drive-envoy.ts";
import { answersOf, writePage } from "./page.ts";
import { RECORDED } from "./recorded.ts";

/** As wide as lines are in this project. */
const COLUMNS_MAX = 100;

const page = resolve(import.meta.dirname, "../../../docs/conformance.md");

const answers = await drive(cases);
// In the order of the cases, so that recording again changes only what differs.
const shown = Object.fromEntries(cases.map(({ id }) => [id, answers.get(id) ?? []]));
writeFileSync(RECORDED, `{\n${Object.entries(shown).map(entry).join(",\n")}\n}\n`);
writeFileSync(page, writePage(cases, await answersOf(cases), shown));

/** A case's lines as the formatter has them: beside each other where they fit. */
function entry([id, lines]: readonly [string, readonly string[]]): string {
  const words = lines.map((line) => JSON.stringify(line));
  const flat = `  ${JSON.stringify(id)}: [${words.join(", ")}]`;
  // With the comma after it.
  if (flat.length < COLUMNS_MAX) return flat;
  return `  ${JSON.stringify(id)}: [\n    ${words.join(",\n    ")}\n  ]`;
}
