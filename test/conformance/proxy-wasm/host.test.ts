import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { cases } from "./cases.ts";
import { driveHost } from "./drive-host.ts";
import { agrees, type Recorded, writeTable } from "./table.ts";

const answers = readFileSync(join(import.meta.dirname, "envoy-1.40.json"), "utf8");
const recorded = JSON.parse(answers) as Recorded;

test("every case has a name of its own", () => {
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
});

test.each(cases.filter(({ spec }) => spec !== undefined))(
  "$id: the host does what the specification demands: $title",
  (one) => {
    // What a client gets stands last; where a case leaves it out, it does not matter.
    const shown = driveHost(one, "spec");
    const isWhole = one.spec?.at(-1)?.startsWith("client");
    expect(isWhole ? shown : shown.slice(0, -1)).toEqual(one.spec);
  },
);

test.each(cases.filter(({ because, killsEnvoy }) => because === undefined && killsEnvoy !== true))(
  "$id: the host shows what Envoy does: $title",
  (one) => {
    expect(driveHost(one, "envoy-1.40")).toEqual(recorded[one.id]);
  },
);

test.each(cases.filter(({ because }) => because !== undefined))(
  "$id: what is told to differ from Envoy does",
  (one) => {
    expect(agrees(one, recorded[one.id])).toBe(false);
  },
);

test("docs/conformance.md is what the cases and Envoy's answers make of it", () => {
  const page = resolve(import.meta.dirname, "../../../docs/conformance.md");
  expect(readFileSync(page, "utf8")).toBe(writeTable(cases, recorded));
});
