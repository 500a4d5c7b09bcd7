import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where Envoy's answers are written down. */
export const RECORDED = join(import.meta.dirname, "envoy-1.40.json");

export type Recorded = Readonly<Record<string, readonly string[]>>;

/** What Envoy 1.40 showed, by case. */
export const recorded = JSON.parse(readFileSync(RECORDED, "utf8")) as Recorded;
