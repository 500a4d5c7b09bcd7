import { entryOf, type FieldPlace, join, type Report } from "./finding.ts";
import { isDnsLabel, isDnsSubdomain, isLabelKey, isLabelValue } from "./names.ts";
import { whatIs } from "./schema.ts";
import { didYouMean } from "./suggest.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/** What names a resource and what its author hung on it. */
export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What Kubernetes keeps in metadata for itself: a mesh has its own log for that. */
const DROPPED: ReadonlySet<string> = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "finalizers",
  "generation",
  "managedFields",
  "ownerReferences",
  "resourceVersion",
  "selfLink",
  "uid",
]);

const READ = ["name", "namespace", "labels", "annotations"] as const;

/** kubectl's copy of the whole document: the log holds the document itself. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Kubernetes' limit on all annotations of one resource together. */
const ANNOTATIONS_LENGTH_MAX = 256 << 10;

/** The name and namespace of a resource, as far as they can be read: for messages. */
export function nameOf(metadata: Tree | undefined): { name: string; namespace: string } {
  return { name: textOf(metadata, "name"), namespace: textOf(metadata, "namespace") };
}

function textOf(tree: Tree | undefined, key: string): string {
  const value =
    tree?.type === "map" ? tree.entries.find((each) => each.key === key)?.value : undefined;
  return value?.type === "scalar" && typeof value.value === "string" ? value.value : "";
}

/** Reads `metadata` of a document, with every problem reported at its place. */
export function readMetadata(
  tree: Tree,
  options: {
    readonly report: Report;
    readonly places: Map<string, FieldPlace>;
    /** For a resource that names none. */
    readonly namespace: string;
  },
): Metadata {
  const { places } = options;
  const report = options.report.in("metadata");
  const found: { -readonly [K in keyof Metadata]: Metadata[K] } = {
    name: "",
    namespace: options.namespace,
    labels: {},
    annotations: {},
  };
  if (tree.type !== "map") {
    refuse(report, "", `metadata is ${whatIs(tree)}, not a map of fields`);
    return found;
  }
  for (const entry of tree.entries) {
    if (DROPPED.has(entry.key)) continue;
    places.set(join("metadata", entry.key), { key: entry.keyAt, value: entry.value.at });
    switch (entry.key) {
      case "name":
      case "namespace":
        found[entry.key] = readName(entry, report) ?? found[entry.key];
        break;
      case "labels":
        found.labels = readTexts(entry, report, places);
        break;
      case "annotations":
        found.annotations = readTexts(entry, report, places);
        break;
      default:
        refuseField(entry.key, report);
    }
  }
  checkMetadata(found, report);
  return found;
}

function readName(entry: TreeEntry, report: Report): string | undefined {
  const { value } = entry;
  if (value.type === "scalar" && typeof value.value === "string") return value.value;
  const help = value.type === "scalar" ? `put it in quotes: "${value.source}"` : undefined;
  refuse(report, entry.key, `metadata.${entry.key} is ${whatIs(value)}, not a text`, help);
  return undefined;
}

function readTexts(
  entry: TreeEntry,
  report: Report,
  places: Map<string, FieldPlace>,
): Record<string, string> {
  // Helm and kubectl write an empty map as nothing at all.
  if (entry.value.type === "scalar" && entry.value.value === null) return {};
  if (entry.value.type !== "map") {
    refuse(report, entry.key, `metadata.${entry.key} is ${whatIs(entry.value)}, not a map`);
    return {};
  }
  const texts: [string, string][] = [];
  for (const { key, keyAt, value } of entry.value.entries) {
    if (key === LAST_APPLIED) continue;
    const field = entry.key + entryOf(key);
    places.set(join("metadata", field), { key: keyAt, value: value.at });
    if (value.type === "scalar" && typeof value.value === "string") {
      texts.push([key, value.value]);
      continue;
    }
    const help = value.type === "scalar" ? `put it in quotes: "${value.source}"` : undefined;
    refuse(report, field, `${key} in metadata.${entry.key} is ${whatIs(value)}, not a text`, help);
  }
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function refuseField(key: string, report: Report): void {
  if (key === "generateName") {
    const message = "generateName leaves the name to the server; a mesh keeps what is written";
    refuse(report, key, message, "give metadata.name");
    return;
  }
  report.error({
    code: "manifest.unknown_field",
    field: key,
    message: `metadata has no field ${key}`,
    help: didYouMean(key, READ),
    on: "key",
  });
}

function checkMetadata({ name, namespace, labels, annotations }: Metadata, report: Report): void {
  if (name === "" && !report.isWritten("name") && !report.isWritten("generateName")) {
    report.missing("name", "metadata has no name");
  } else if (!isDnsSubdomain(name) && report.isWritten("name")) {
    const help = "use at most 253 lower-case letters, digits, dashes and dots";
    refuse(report, "name", `name ${JSON.stringify(name)} is no DNS name`, help);
  }
  if (!isDnsLabel(namespace)) {
    const help = "use at most 63 lower-case letters, digits and dashes";
    refuse(report, "namespace", `namespace ${JSON.stringify(namespace)} is no DNS label`, help);
  }
  for (const [key, value] of Object.entries(labels)) {
    const field = `labels${entryOf(key)}`;
    if (!isLabelKey(key)) refuse(report, field, `label ${key} is no key of a label`);
    if (!isLabelValue(value))
      refuse(report, field, `label ${key} cannot be ${JSON.stringify(value)}`);
  }
  let length = 0;
  for (const [key, value] of Object.entries(annotations)) {
    length += key.length + value.length;
    if (isLabelKey(key)) continue;
    refuse(report, `annotations${entryOf(key)}`, `annotation ${key} is no key of an annotation`);
  }
  if (length > ANNOTATIONS_LENGTH_MAX) {
    const message = `annotations have ${length} characters, at most ${ANNOTATIONS_LENGTH_MAX}`;
    refuse(report, "annotations", message);
  }
}

function refuse(report: Report, field: string, message: string, help?: string): void {
  report.error({ code: "manifest.bad_metadata", field, message, help });
}
