import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cases } from "./cases.ts";
import { driveEnvoy } from "./drive-envoy.ts";

test("a real Envoy shows what is recorded of it", async () => {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "envoy-1.40.json"), "utf8"));
  expect(Object.fromEntries(await driveEnvoy(cases))).toEqual(recorded);
});
