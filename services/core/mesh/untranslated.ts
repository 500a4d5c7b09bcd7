import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { createReport, entryOf, type Report } from "./finding.ts";
import { type ReadManifest, subjectOf } from "./manifest.ts";
import { type Kind, SPECS } from "./resource.ts";
import { TRANSLATED } from "./translated.ts";
import { untranslatedValues } from "./untranslated-value.ts";

/** A warning for all that is stored of a manifest and that proxies do not act on. */
export function untranslated(manifest: ReadManifest): readonly Finding[] {
  return [...untranslatedFields(manifest), ...untranslatedValues(manifest)];
}

/**
 * A warning for each field that is set and that translation does not read, at its place. Where
 * nothing in a message is read, the message gets one warning for all that is in it.
 */
export function untranslatedFields(manifest: ReadManifest): readonly Finding[] {
  const report = createReport({ ...manifest, subject: subjectOf(manifest) });
  const schema: DescMessage = SPECS[manifest.kind];
  const covered = coverageOf(manifest.kind);
  walk(reflect(schema, manifest.spec), { pattern: "", covered, report: report.in("spec") });
  return report.findings;
}

/** What is read of a kind. */
interface Coverage {
  /** Patterns that are read themselves. */
  readonly exact: ReadonlySet<string>;
  /** Patterns that are read with all below them. */
  readonly whole: ReadonlySet<string>;
  /** Patterns below which something is read. */
  readonly partly: ReadonlySet<string>;
}

const coverages = new Map<Kind, Coverage>();

function coverageOf(kind: Kind): Coverage {
  const known = coverages.get(kind);
  if (known !== undefined) return known;
  const exact = new Set<string>();
  const whole = new Set<string>();
  const partly = new Set<string>();
  for (const listed of TRANSLATED[kind]) {
    const path = listed.endsWith(".**") ? listed.slice(0, -".**".length) : listed;
    (path === listed ? exact : whole).add(path);
    const parts = path.split(".");
    for (let length = 1; length < parts.length; length++) {
      partly.add(parts.slice(0, length).join("."));
    }
  }
  const coverage = { exact, whole, partly };
  coverages.set(kind, coverage);
  return coverage;
}

interface Walk {
  /** Where we are, with `[]` and `{}` for any item. */
  readonly pattern: string;
  readonly covered: Coverage;
  readonly report: Report;
}

function walk(message: ReflectMessage, { pattern, covered, report }: Walk): void {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const own = (pattern === "" ? "" : `${pattern}.`) + patternOf(field);
    if (covered.whole.has(own)) continue;
    const items = itemsOf(message, field);
    if (items.length === 0 || !covered.partly.has(own)) {
      if (covered.exact.has(own)) continue;
      warn(own, field.jsonName, report);
      continue;
    }
    for (const { path, item } of items) {
      walk(item, { pattern: own, covered, report: report.in(path) });
    }
  }
}

/** A field's name in a pattern: `http[]`, `headers{}`, `timeout`. */
export function patternOf(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `${field.jsonName}[]`;
    case "map":
      return `${field.jsonName}{}`;
    case "enum":
    case "message":
    case "scalar":
      return field.jsonName;
  }
}

/** The messages in a field, with their paths. None for values and for types of ProtoJSON's own. */
function itemsOf(
  message: ReflectMessage,
  field: DescField,
): { path: string; item: ReflectMessage }[] {
  const name = field.jsonName;
  if (field.message === undefined || field.message.typeName.startsWith("google.protobuf.")) {
    return [];
  }
  switch (field.fieldKind) {
    case "list":
      return [...message.get(field)].map((item, index) => {
        return { path: `${name}[${index}]`, item: item as ReflectMessage };
      });
    case "map":
      return [...message.get(field)].map(([key, item]) => {
        return { path: name + entryOf(String(key)), item: item as ReflectMessage };
      });
    case "message":
      return [{ path: name, item: message.get(field) }];
  }
}

function warn(pattern: string, field: string, report: Report): void {
  const message = `${pattern} is stored, but not translated yet`;
  report.warning({ code: "manifest.untranslated", field, message, on: "key" });
}
