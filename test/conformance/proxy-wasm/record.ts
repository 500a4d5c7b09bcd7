// Asks a real Envoy all cases, and writes down its answers and the table of docs/conformance.md.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cases } from "./cases.ts";
import { driveEnvoy } from "./drive-envoy.ts";
import { type Recorded, writeTable } from "./table.ts";

const answers = join(import.meta.dirname, "envoy-1.40.json");
const page = resolve(import.meta.dirname, "../../../docs/conformance.md");

const shown = Object.fromEntries(await driveEnvoy(cases));
writeFileSync(answers, `${JSON.stringify(shown, null, 2)}\n`);
const recorded = JSON.parse(readFileSync(answers, "utf8")) as Recorded;
writeFileSync(page, writeTable(cases, recorded));
