// Asks a real Envoy all cases, and writes down its answers and the page docs/conformance.md.

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { cases } from "./cases.ts";
import { drive } from "./drive-envoy.ts";
import { answersOf, writePage } from "./page.ts";
import { RECORDED } from "./recorded.ts";

const page = resolve(import.meta.dirname, "../../../docs/conformance.md");

const answers = await drive(cases);
// In the order of the cases, so that recording again changes only what differs.
const shown = Object.fromEntries(cases.map(({ id }) => [id, answers.get(id) ?? []]));
writeFileSync(RECORDED, `${JSON.stringify(shown, null, 2)}\n`);
writeFileSync(page, writePage(cases, await answersOf(cases), shown));
