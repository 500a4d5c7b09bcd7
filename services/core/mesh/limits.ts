import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { formatDuration, nanosOf } from "./duration.ts";
import { entryOf, type Report } from "./finding.ts";
import {
  isDnsLabel,
  isHostName,
  isHostPattern,
  isLabelKey,
  isLabelValue,
  isPort,
  isWildcard,
} from "./names.ts";
import { regexProblem } from "./regex.ts";

const NANOS_PER_MS = 1_000_000n;

/** Checks a number that is given. Bounds are inclusive. */
export function checkRange(
  value: number | bigint | undefined,
  [min, max]: readonly [number, number],
  { report, field }: At,
): void {
  if (value === undefined || (value >= min && value <= max)) return;
  const name = lastOf(field);
  if (value < min && min === 0) report.bad(field, `${name} ${value} is negative`);
  else report.bad(field, `${name} ${value} is not within ${min} to ${max}`);
}

export interface At {
  readonly report: Report;
  readonly field: string;
}

/** A field that must be 0 or more, where it is written. */
export function checkNotNegative(value: number, at: At): void {
  checkRange(value, [0, Number.MAX_SAFE_INTEGER], at);
}

export function checkPercent(value: number | undefined, at: At): void {
  checkRange(value, [0, 100], at);
}

/** A port that is required. */
export function checkPort(number: number | undefined, { report, field }: At): void {
  if (number === undefined || (number === 0 && !report.isWritten(field))) {
    report.missing(field, `${lastOf(field) === "number" ? "port" : field} has no number`);
  } else if (!isPort(number)) {
    report.bad(field, `port ${number} is not within 1 to 65535`);
  }
}

/** A port that may be left out; 0 is the same as left out, unless it was written. */
export function checkOptionalPort(number: number, at: At): void {
  if (number !== 0 || at.report.isWritten(at.field)) checkPort(number, at);
}

/** Envoy counts in milliseconds. Zero stands for "none" where `zero` allows it. */
export function checkDuration(
  duration: Duration | undefined,
  { report, field, zero = false }: At & { readonly zero?: boolean },
): void {
  if (duration === undefined) return;
  const nanos = nanosOf(duration);
  if (nanos >= NANOS_PER_MS || (zero && nanos === 0n)) return;
  report.bad(field, `${lastOf(field)} ${formatDuration(nanos)} is below 1ms`);
}

export function checkRegex(pattern: string, { report, field }: At): void {
  const problem = regexProblem(pattern);
  if (problem === undefined) return;
  report.bad(field, `the regular expression ${problem}`, "write it in RE2's syntax");
}

/** A host, or a pattern with `*` in front where `wildcard` allows it. */
export function checkHost(
  host: string,
  { report, field, wildcard = true }: At & { readonly wildcard?: boolean },
): void {
  if (wildcard ? isHostPattern(host) : isHostName(host)) return;
  if (!wildcard && isWildcard(host)) report.bad(field, `host ${host} is a wildcard`);
  else report.bad(field, `${JSON.stringify(host)} is no host name`);
}

/** Namespaces that may see a resource: `.`, `*`, `~` or names. */
export function checkExportTo(
  exportTo: readonly string[],
  report: Report,
  name = "exportTo",
): void {
  const seen = new Set<string>();
  for (const [index, value] of exportTo.entries()) {
    const field = `${name}[${index}]`;
    if (!isDnsLabel(value) && ![".", "*", "~"].includes(value)) {
      report.bad(field, `${name} ${JSON.stringify(value)} is neither ., *, ~ nor a namespace`);
    } else if (seen.has(value)) {
      report.conflict(field, `${name} names ${value} twice`);
    } else if ((value === "*" || value === "~") && exportTo.length > 1) {
      report.conflict(field, `${name} ${value} leaves no room for other namespaces`);
    }
    seen.add(value);
  }
}

/** Labels as a workload carries them, or as a selector asks for them: never with a wildcard. */
export function checkLabels(labels: Readonly<Record<string, string>>, { report, field }: At): void {
  for (const [key, value] of Object.entries(labels)) {
    const entry = field + entryOf(key);
    const pair = `${key}: ${JSON.stringify(value)}`;
    if (key.includes("*") || value.includes("*")) {
      report.bad(entry, `label ${pair} has a wildcard, which labels do not match by`);
    } else if (!isLabelKey(key)) {
      report.bad(entry, `label ${pair} has a key that no label can have`);
    } else if (!isLabelValue(value)) {
      report.bad(entry, `label ${pair} has a value that no label can have`);
    }
  }
}

/** Reports each item that stood in the list before; items without a name may repeat. */
export function checkUnique<T>(
  items: readonly T[],
  nameOf: (item: T) => string | undefined,
  { report, field, what }: { report: Report; field: (index: number) => string; what: string },
): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const name = nameOf(item);
    if (name === undefined) continue;
    if (seen.has(name)) {
      report.error({
        code: "manifest.repeated_value",
        field: field(index),
        message: `${what} ${name} is there twice`,
      });
    }
    seen.add(name);
  }
}

function lastOf(field: string): string {
  return field.slice(field.lastIndexOf(".") + 1);
}

/** A value of an enum as it is written in YAML. */
export function enumName(schema: DescEnum, value: number): string {
  return schema.value[value]?.name ?? String(value);
}
