import { counter, counterWith, Counter } from "@weft/sdk/assembly";
import { Kind, KIND_COUNT, nameOf } from "./kinds";
import { Scanner } from "./scanner";

/** Findings by kind; in a dry run as well, which replaces none of them. */
const findings = counterWith("pii_findings_total", ["kind"]);

/** Bodies that were looked at. */
export const bodies = counter("pii_bodies_total");

/** Bodies that were not, by the reason. */
const skipped = counterWith("pii_bodies_skipped_total", ["reason"]);

let compressed: Counter | null = null;
let otherType: Counter | null = null;

/** Streams that were reset, because the rest of a body could not go on. */
export const resets = counter("pii_resets_total");

/** The counters of the kinds, from the moment of configuration. */
const byKind = new Array<Counter>();

/** Makes the counters with labels known to the host. */
export function defineCounters(): void {
  compressed = skipped.label("compressed").get();
  otherType = skipped.label("content-type").get();
  for (let kind = byKind.length; kind < KIND_COUNT; kind++) {
    byKind.push(findings.label(nameOf(kind)).get());
  }
}

/** Counts a body that is not looked at. */
export function countSkipped(isCompressed: bool): void {
  const reason = isCompressed ? compressed : otherType;
  if (reason != null) reason.inc();
}

/** Counts what a scanner has found. */
export function count(scanner: Scanner): void {
  for (let kind = 0; kind < KIND_COUNT; kind++) {
    const found = scanner.takeCount(kind);
    if (found > 0) byKind[kind].inc(found);
  }
}
