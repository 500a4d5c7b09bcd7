import { counter, counterWith, Counter } from "@weft/sdk/assembly";
import { Kind, KIND_COUNT, nameOf } from "./kinds";
import { Scanner } from "./scanner";

/** Findings by kind; in a dry run as well, which replaces none of them. */
const findings = counterWith("pii_findings_total", ["kind"]);

/** Bodies that were looked at. */
export const bodies = counter("pii_bodies_total");

/** Bodies that were not, or not to their end, by the reason. */
export const skipped = counterWith("pii_bodies_skipped_total", ["reason"]);

/** Streams that were reset, because the rest of a body could not go on. */
export const resets = counter("pii_resets_total");

/** The counters of the kinds, from the moment of configuration. */
const byKind = new Array<Counter>();

/** Makes the counters known to the host. */
export function defineFindings(): void {
  for (let kind = byKind.length; kind < KIND_COUNT; kind++) {
    byKind.push(findings.label(nameOf(kind)).get());
  }
}

/** Counts what a scanner has found. */
export function count(scanner: Scanner): void {
  for (let kind = 0; kind < KIND_COUNT; kind++) {
    const found = scanner.takeCount(kind);
    if (found > 0) byKind[kind].inc(found);
  }
}
