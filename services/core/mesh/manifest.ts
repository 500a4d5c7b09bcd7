import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Manifest, ManifestSchema } from "@weft/proto/weft/mesh/v1/manifest_pb.ts";
import { encodeSpec } from "./encode.ts";
import { createReport, type FieldPlace, isError, type Place, type Places } from "./finding.ts";
import { kindOf } from "./kind-of.ts";
import { KIND_FORMS, MESH_CONFIG_NAME } from "./kinds.ts";
import { type Metadata, nameOf, readMetadata } from "./metadata.ts";
import { type Kind, resourceKey, SPECS, type Spec } from "./resource.ts";
import { readMessage, type SchemaReader, whatIs } from "./schema.ts";
import { didYouMean } from "./suggest.ts";
import { createReadBudget, readTrees, type Tree, type TreeMap } from "./tree.ts";
import { validateSpec } from "./validate.ts";

/** A text of one or more documents, and the name to call it in findings. */
export interface ManifestText {
  readonly path: string;
  readonly text: string;
}

/** A resource as it was read: what is stored, what it means, and where each field stood. */
export interface ReadManifest<K extends Kind = Kind> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  readonly manifest: Manifest;
  readonly spec: Spec<K>;
  readonly path: string;
  readonly at: Place;
  readonly places: Places;
}

/** What was read, and all that is to be said of it. Manifests with an error are left out. */
export interface ReadResult {
  readonly manifests: readonly ReadManifest[];
  readonly findings: readonly Finding[];
}

const TOP_LEVEL = ["apiVersion", "kind", "metadata", "spec", "status"];

/** Kinds that mean something without a spec: all of their fields have defaults. */
const WITHOUT_SPEC: ReadonlySet<Kind> = new Set(["PeerAuthentication"]);

/**
 * Reads manifests in Istio's YAML or JSON: many documents to a text, lists too. Every problem of
 * every document is reported at its place; `namespace` is for resources that name none.
 */
export function readManifests(
  documents: readonly ManifestText[],
  options: { readonly namespace: string },
): ReadResult {
  const manifests = new Map<string, ReadManifest>();
  const findings: Finding[] = [];
  const budget = createReadBudget();
  for (const { path, text } of documents) {
    const { trees, problems } = readTrees(text, budget);
    for (const { code, message, at } of problems) {
      const report = createReport({ path, subject: "", at, places: new Map() });
      report.error({ code, field: "", message });
      findings.push(...report.findings);
    }
    for (const tree of trees.flatMap(itemsOf)) {
      const read = readDocument(tree, { path, namespace: options.namespace });
      findings.push(...read.findings);
      if (read.manifest === undefined) continue;
      const key = resourceKey(read.manifest);
      const first = manifests.get(key);
      if (first === undefined) manifests.set(key, read.manifest);
      else findings.push(duplicateOf(read.manifest, first));
    }
  }
  return { manifests: [...manifests.values()], findings };
}

/** A Kubernetes list as its items; anything else as itself. */
function itemsOf(tree: Tree): readonly Tree[] {
  if (tree.type !== "map" || !textOf(tree, "kind").endsWith("List")) return [tree];
  const items = entryOf(tree, "items");
  return items?.type === "list" ? items.items : [tree];
}

function duplicateOf(manifest: ReadManifest, first: ReadManifest): Finding {
  const report = createReport({ ...manifest, subject: subjectOf(manifest) });
  const where = `${first.path}:${first.at.line}`;
  const message = `${subjectOf(manifest)} is already described at ${where}`;
  report.error({ code: "manifest.duplicate", field: "metadata.name", message });
  return report.findings[0] as Finding;
}

interface DocumentOptions {
  readonly path: string;
  readonly namespace: string;
}

function readDocument(
  tree: Tree,
  { path, namespace }: DocumentOptions,
): { manifest?: ReadManifest; findings: readonly Finding[] } {
  const places = new Map<string, FieldPlace>();
  const at = tree.at;
  if (tree.type !== "map") {
    const report = createReport({ path, subject: "", at, places });
    const message = `the document is ${whatIs(tree)}, not a resource`;
    report.error({ code: "manifest.syntax", field: "", message });
    return { findings: report.findings };
  }
  const named = nameOf(entryOf(tree, "metadata"));
  const written = { kind: textOf(tree, "kind"), apiVersion: textOf(tree, "apiVersion") };
  const subject = subjectOf({
    kind: written.kind || "document",
    namespace: named.namespace || namespace,
    name: named.name || "(no name)",
  });
  const report = createReport({ path, subject, at, places });
  for (const entry of tree.entries) {
    places.set(entry.key, { key: entry.keyAt, value: entry.value.at });
  }
  const kind = kindOf(written, report);
  if (kind === undefined) return { findings: report.findings };
  const metadata = readHead(kind, tree, { report, places, namespace });
  const spec = readSpec(kind, tree, { report, places });
  if (spec === undefined || report.findings.some(isError)) return { findings: report.findings };
  const manifest = manifestOf(kind, metadata, { spec, origin: { path, line: at.line } });
  const { name } = metadata;
  return {
    manifest: { kind, namespace: metadata.namespace, name, manifest, spec, path, at, places },
    findings: report.findings,
  };
}

/** Metadata of a document. A mesh's own configuration has one name and needs none. */
function readHead(
  kind: Kind,
  tree: TreeMap,
  options: SchemaReader & { readonly namespace: string },
): Metadata {
  const written = entryOf(tree, "metadata");
  const { meshWide } = KIND_FORMS[kind];
  if (written !== undefined) {
    const metadata = readMetadata(written, options);
    if (kind !== "MeshConfig") return meshWide ? { ...metadata, namespace: "" } : metadata;
    if (metadata.name !== MESH_CONFIG_NAME && metadata.name !== "") {
      const message = `a mesh has one MeshConfig, named ${MESH_CONFIG_NAME}, not ${metadata.name}`;
      options.report.error({ code: "manifest.bad_metadata", field: "metadata.name", message });
    }
    return { ...metadata, namespace: "" };
  }
  if (kind !== "MeshConfig") options.report.missing("metadata", `${kind} has no metadata`);
  return { name: MESH_CONFIG_NAME, namespace: "", labels: {}, annotations: {} };
}

/** The spec of a document, or undefined if there is nothing that could be checked. */
function readSpec(kind: Kind, tree: TreeMap, reader: SchemaReader): Spec<Kind> | undefined {
  const { report } = reader;
  const written = entryOf(tree, "spec");
  // A MeshConfig may stand in the document itself, as in Istio's config map.
  const bare = kind === "MeshConfig" && written === undefined;
  const body = bare ? withoutHead(tree) : written;
  for (const { key } of bare ? [] : tree.entries) {
    if (TOP_LEVEL.includes(key)) continue;
    report.error({
      code: "manifest.unknown_field",
      field: key,
      message: `${kind} has no field ${key} beside its spec`,
      help: didYouMean(key, TOP_LEVEL),
      on: "key",
    });
  }
  if (body === undefined && !WITHOUT_SPEC.has(kind)) {
    report.missing("spec", `${kind} has no spec`);
    return undefined;
  }
  if (body?.type === "scalar") {
    report.bad("spec", `spec is ${whatIs(body)}, not a map of fields`);
    return undefined;
  }
  const json = body === undefined ? {} : readMessage(SPECS[kind], body, { path: "spec", reader });
  const malformed = report.findings.some(isError);
  const spec = specFromJson(kind, json);
  validateSpec(kind, spec, malformed ? onlyWrittenFields(report) : report);
  return spec;
}

/** What was left out because it could not be read must not be called missing. */
function onlyWrittenFields(report: ReturnType<typeof createReport>): typeof report {
  return { ...report, in: (part) => onlyWrittenFields(report.in(part)), missing() {} };
}

function withoutHead(tree: TreeMap): TreeMap {
  const head = ["apiVersion", "kind", "metadata", "status"];
  return { ...tree, entries: tree.entries.filter(({ key }) => !head.includes(key)) };
}

/** A spec from its ProtoJSON. @throws Error for JSON that is not of the kind */
export function specFromJson<K extends Kind>(kind: K, json: JsonObject): Spec<K> {
  return fromJson(SPECS[kind], json) as Spec<K>;
}

/** A resource as it is stored: the spec encoded, maps in order. */
export function manifestOf<K extends Kind>(
  kind: K,
  metadata: Metadata,
  {
    spec,
    origin,
  }: { readonly spec: Spec<K>; readonly origin?: { readonly path: string; readonly line: number } },
): Manifest {
  const { namespace, name, labels, annotations } = metadata;
  return create(ManifestSchema, {
    ref: { kind, namespace, name },
    labels,
    annotations,
    spec: encodeSpec(kind, spec),
    ...(origin === undefined ? {} : { origin }),
  });
}

/** `VirtualService default/reviews`; `MeshConfig default` where there is no namespace. */
export function subjectOf(ref: { kind: string; namespace: string; name: string }): string {
  return `${ref.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`;
}

function entryOf(tree: TreeMap, key: string): Tree | undefined {
  return tree.entries.find((entry) => entry.key === key)?.value;
}

function textOf(tree: TreeMap, key: string): string {
  const value = entryOf(tree, key);
  return value?.type === "scalar" && typeof value.value === "string" ? value.value : "";
}
