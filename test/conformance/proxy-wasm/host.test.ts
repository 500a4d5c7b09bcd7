import { expect, test } from "vitest";
import { cases } from "./cases.ts";
import { driveHost } from "./drive-host.ts";

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

test.each(cases)("$id: the host goes through it as Envoy would: $title", (one) => {
  const shown = driveHost(one, "envoy-1.40");
  expect(shown.at(-1)).toMatch(/^(refused|client (\d{3} .*|reset|nothing))$/);
});
