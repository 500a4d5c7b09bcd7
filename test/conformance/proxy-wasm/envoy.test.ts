import { expect, test } from "vitest";
import { cases } from "./cases.ts";
import { drive } from "./drive-envoy.ts";
import { recorded } from "./recorded.ts";

/** The whole takes about 20 s; a busy machine may take several times as long. */
const TIMEOUT_MS = 180_000;

test("a real Envoy shows what is recorded of it", { timeout: TIMEOUT_MS }, async () => {
  expect(Object.fromEntries(await drive(cases))).toEqual(recorded);
});
