import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { cases } from "./cases.ts";
import { driveHost } from "./drive-host.ts";
import { answersOf, writePage } from "./page.ts";
import { recorded } from "./recorded.ts";

test("every case has a name of its own", () => {
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
});

test("what Envoy answers is recorded of every case, and of no other", () => {
  expect(Object.keys(recorded).sort()).toEqual(cases.map(({ id }) => id).sort());
});

test.each(cases.filter(({ spec }) => spec !== undefined))(
  "$id: the host does what the specification demands: $title",
  async (one) => {
    // What a client gets stands last; where a case leaves it out, it does not matter.
    const shown = await driveHost(one, "spec");
    const isWhole = one.spec?.at(-1)?.startsWith("client");
    expect(isWhole ? shown : shown.slice(0, -1)).toEqual(one.spec);
  },
);

test.each(cases.filter(({ because }) => because === undefined))(
  "$id: the host shows what Envoy does: $title",
  async (one) => {
    expect(await driveHost(one, "envoy-1.40")).toEqual(recorded[one.id]);
  },
);

test.each(cases.filter(({ because }) => because !== undefined))(
  "$id: what is told to differ from Envoy does",
  async (one) => {
    expect(await driveHost(one, "envoy-1.40")).not.toEqual(recorded[one.id]);
  },
);

test("docs/conformance.md is what the cases and the answers make of it", async () => {
  const page = resolve(import.meta.dirname, "../../../docs/conformance.md");
  expect(readFileSync(page, "utf8")).toBe(writePage(cases, await answersOf(cases), recorded));
});
