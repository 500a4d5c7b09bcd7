import { create } from "@bufbuild/protobuf";
import {
  type Finding,
  Finding_Severity,
  FindingSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { CODES, type Code } from "../error.ts";

/** A place in a text, both from 1; the column counts UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a field was written: its key and its value. The same for an item of a list. */
export interface FieldPlace {
  readonly key: Place;
  readonly value: Place;
}

/** Where each field of a resource was written, by its path: `spec.http[0].timeout`. */
export type Places = ReadonlyMap<string, FieldPlace>;

/** What findings are about: a resource in a file. */
export interface Source {
  readonly path: string;
  /** `VirtualService default/reviews`. */
  readonly subject: string;
  readonly at: Place;
  readonly places: Places;
}

/** Findings one source may get: who has more to mend starts with these. */
const FINDINGS_MAX = 100;

export interface Remark {
  readonly code: Code;
  /** Relative to the part that is looked at; empty for the part itself. */
  readonly field: string;
  readonly message: string;
  /** Instead of the help of the code. */
  readonly help?: string | undefined;
  /** Which of both places is meant. */
  readonly on?: "key" | "value";
}

/** Collects what is to be said of one resource. Fields are named as in YAML. */
export interface Report {
  readonly findings: readonly Finding[];
  /** The same report, for a part of the resource: `report.in("http[0]")`. */
  in(part: string): Report;
  error(remark: Remark): void;
  warning(remark: Remark): void;
  /** A value that its field cannot have. */
  bad(field: string, message: string, help?: string): void;
  /** A field that has to be there; found at the part it is missing from. */
  missing(field: string, message: string, help?: string): void;
  /** Fields that exclude one another, told at one of them. */
  conflict(field: string, message: string, help?: string): void;
  /** Whether more errors would not be told: then nothing more need be looked at. */
  isFull(): boolean;
  /** Whether the field was written at all, even if with its default. */
  isWritten(field: string): boolean;
}

export function createReport(source: Source): Report {
  const findings: Finding[] = [];
  const refused = new Set<string>();
  const add = (severity: Finding_Severity, prefix: string, remark: Remark): void => {
    if (findings.length >= FINDINGS_MAX) return;
    const { code, message, help } = remark;
    const field = join(prefix, remark.field);
    // One error a field: what follows from the first says nothing new.
    if (severity === Finding_Severity.ERROR && refused.has(field)) return;
    if (severity === Finding_Severity.ERROR) refused.add(field);
    const place = placeOf(source, field)?.[remark.on ?? "value"] ?? source.at;
    findings.push(
      create(FindingSchema, {
        severity,
        code,
        number: CODES[code].number,
        message,
        help: help ?? CODES[code].help,
        path: source.path,
        ...place,
        subject: source.subject,
        field,
      }),
    );
  };
  const view = (prefix: string): Report => ({
    findings,
    in: (part) => view(join(prefix, part)),
    error: (remark) => add(Finding_Severity.ERROR, prefix, remark),
    warning: (remark) => add(Finding_Severity.WARNING, prefix, remark),
    bad(field, message, help) {
      add(Finding_Severity.ERROR, prefix, { code: "manifest.bad_value", field, message, help });
    },
    missing(field, message, help) {
      const code = "manifest.missing_field";
      add(Finding_Severity.ERROR, prefix, { code, field, message, help, on: "key" });
    },
    conflict(field, message, help) {
      const code = "manifest.conflicting_fields";
      add(Finding_Severity.ERROR, prefix, { code, field, message, help, on: "key" });
    },
    isFull: () => refused.size >= FINDINGS_MAX,
    isWritten: (field) => source.places.has(join(prefix, field)),
  });
  return view("");
}

/** The path of a field below another: `spec.http` and `[0]` make `spec.http[0]`. */
export function join(prefix: string, field: string): string {
  if (prefix === "" || field === "") return prefix + field;
  return field.startsWith("[") ? prefix + field : `${prefix}.${field}`;
}

/** The path of a map's entry, relative to the map. */
export function entryOf(key: string): string {
  return `[${JSON.stringify(key)}]`;
}

export function isError(finding: Finding): boolean {
  return finding.severity === Finding_Severity.ERROR;
}

/** The place of a field, or of the nearest one around it that was written. */
function placeOf(source: Source, field: string): FieldPlace | undefined {
  for (let path = field; path !== ""; path = parentOf(path)) {
    const place = source.places.get(path);
    if (place !== undefined) return path === field ? place : { key: place.key, value: place.key };
  }
  return undefined;
}

function parentOf(path: string): string {
  const key = /\["(?:[^"\\]|\\.)*"\]$/.exec(path);
  if (key !== null) return path.slice(0, key.index);
  return path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("["), 0));
}
