// Compares what a host shows with what Envoy 1.40 does: run.ts DRIVER.ts|ANSWERS.json [PATTERN]

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cases } from "./cases.ts";
import type { Answers, Driver } from "./driver.ts";
import { recorded } from "./recorded.ts";

const [source, pattern = ""] = process.argv.slice(2);
if (source === undefined) {
  console.error("which driver? run.ts DRIVER.ts|ANSWERS.json [PATTERN]");
  process.exit(2);
}

const asked = cases.filter(({ id }) => new RegExp(pattern).test(id));
const answers = await answersOf(resolve(source));
let same = 0;
for (const { id, title, spec } of asked) {
  const [own, envoy] = [answers.get(id) ?? ["no answer"], recorded[id] ?? []];
  if (JSON.stringify(own) === JSON.stringify(envoy)) {
    same++;
    continue;
  }
  const isOfSpec = JSON.stringify(own) === JSON.stringify(spec);
  console.log(`${id}: ${title}${isOfSpec ? " (as the specification has it)" : ""}`);
  for (let line = 0; line < Math.max(own.length, envoy.length); line++) {
    if (own[line] === envoy[line]) console.log(`    ${own[line]}`);
    else console.log(`  - ${envoy[line] ?? ""}\n  + ${own[line] ?? ""}`);
  }
}
console.log(`${same} of ${asked.length} cases are as in Envoy 1.40`);
process.exitCode = same === asked.length ? 0 : 1;

/** Runs a driver, or reads the answers that a host has written. */
async function answersOf(path: string): Promise<Answers> {
  if (path.endsWith(".json"))
    return new Map(Object.entries(JSON.parse(readFileSync(path, "utf8"))));
  const { drive } = (await import(pathToFileURL(path).href)) as { drive: Driver };
  return await drive(asked);
}
