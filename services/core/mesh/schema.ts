import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { formatDuration, parseDuration } from "./duration.ts";
import { entryOf, type FieldPlace, join, type Report } from "./finding.ts";
import { didYouMean } from "./suggest.ts";
import type { Tree, TreeEntry, TreeMap } from "./tree.ts";

/** Where the reader notes what it finds: problems, and the place of every field. */
export interface SchemaReader {
  readonly report: Report;
  readonly places: Map<string, FieldPlace>;
}

/** Whole numbers by their type: smallest, largest. */
const INTEGER_RANGES: Readonly<Partial<Record<ScalarType, readonly [bigint, bigint]>>> = {
  [ScalarType.INT32]: [-(1n << 31n), (1n << 31n) - 1n],
  [ScalarType.UINT32]: [0n, (1n << 32n) - 1n],
  [ScalarType.INT64]: [-(1n << 63n), (1n << 63n) - 1n],
  [ScalarType.UINT64]: [0n, (1n << 64n) - 1n],
};

/** Types with a JSON form of their own (protobuf.dev, ProtoJSON). */
const WRAPPERS: Readonly<Record<string, ScalarType>> = {
  "google.protobuf.BoolValue": ScalarType.BOOL,
  "google.protobuf.DoubleValue": ScalarType.DOUBLE,
  "google.protobuf.Int32Value": ScalarType.INT32,
  "google.protobuf.UInt32Value": ScalarType.UINT32,
};

/**
 * A tree as ProtoJSON of a message, with every problem reported at its place and left out, so that
 * what is answered always parses. `path` names the message.
 */
export function readMessage(
  desc: DescMessage,
  tree: Tree,
  { path, reader }: { readonly path: string; readonly reader: SchemaReader },
): JsonObject {
  if (tree.type !== "map") {
    const fields = desc.fields.map(({ jsonName }) => jsonName);
    const help = `write a map with fields of ${fields.slice(0, FIELDS_NAMED_MAX).join(", ")}`;
    bad(reader, path, `${path} is ${whatIs(tree)}, not a map of fields`, help);
    return {};
  }
  const json: JsonObject = {};
  const written = new Map<DescField, string>();
  for (const entry of tree.entries) {
    if (reader.report.isFull()) break;
    const field = findField(desc, entry.key);
    if (field === undefined) {
      unknownField(desc, entry, { path, reader });
      continue;
    }
    const fieldPath = join(path, field.jsonName);
    if (written.has(field)) {
      reader.places.set(fieldPath, { key: entry.keyAt, value: entry.value.at });
      const both = `${path} has both ${written.get(field)} and ${entry.key}, which are one field`;
      reader.report.conflict(fieldPath, both);
      continue;
    }
    reader.places.set(fieldPath, { key: entry.keyAt, value: entry.value.at });
    const value = readField(field, entry.value, fieldPath, reader);
    const rival = field.oneof?.fields.find((sibling) => written.has(sibling));
    written.set(field, entry.key);
    if (rival !== undefined) {
      const both = `${path} sets both ${written.get(rival)} and ${entry.key}`;
      reader.report.conflict(fieldPath, both, "keep one of them");
    } else if (value !== undefined) {
      json[field.jsonName] = value;
    }
  }
  return json;
}

/** As ProtoJSON does: by the JSON name or by the name in the schema. */
function findField(desc: DescMessage, key: string): DescField | undefined {
  return desc.fields.find((field) => field.jsonName === key || field.name === key);
}

function unknownField(
  desc: DescMessage,
  entry: TreeEntry,
  { path, reader }: { readonly path: string; readonly reader: SchemaReader },
): void {
  const field = join(path, entry.key);
  reader.places.set(field, { key: entry.keyAt, value: entry.value.at });
  const names = desc.fields.map((each) => each.jsonName);
  reader.report.error({
    code: "manifest.unknown_field",
    field,
    message: `${path} has no field ${entry.key}`,
    help: didYouMean(entry.key, names),
    on: "key",
  });
}

function readField(
  field: DescField,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  if (tree.type === "scalar" && tree.value === null) {
    bad(reader, path, `${path} is empty`, "give it a value or remove it");
    return undefined;
  }
  switch (field.fieldKind) {
    case "list":
      return readList(field, tree, path, reader);
    case "map":
      return readMap(field, tree, path, reader);
    case "message":
    case "enum":
    case "scalar":
      return readValue(field, tree, path, reader);
  }
}

type ListField = DescField & { fieldKind: "list" };
type MapField = DescField & { fieldKind: "map" };

/** What one value of a field is, be it alone, in a list or in a map. */
interface ValueType {
  readonly message?: DescMessage | undefined;
  readonly enum?: DescEnum | undefined;
  readonly scalar?: ScalarType | undefined;
}

function readList(
  field: ListField,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  if (tree.type !== "list") {
    bad(reader, path, `${path} is ${whatIs(tree)}, not a list`, "begin each item with `- `");
    return undefined;
  }
  return tree.items.flatMap((item, index) => {
    const itemPath = `${path}[${index}]`;
    if (reader.report.isFull()) return [];
    reader.places.set(itemPath, { key: item.at, value: item.at });
    const value = readItem(field, item, itemPath, reader);
    return value === undefined ? [] : [value];
  });
}

function readMap(
  field: MapField,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  if (tree.type !== "map") {
    bad(reader, path, `${path} is ${whatIs(tree)}, not a map`);
    return undefined;
  }
  const json: JsonObject = {};
  for (const entry of sorted(tree)) {
    const entryPath = path + entryOf(entry.key);
    reader.places.set(entryPath, { key: entry.keyAt, value: entry.value.at });
    const isText = field.mapKey === ScalarType.STRING;
    if (isText ? entry.key === PROTO : !isKey(entry.key)) {
      const reason = isText ? "reserved" : "not a whole number";
      const message = `key ${entry.key} of ${path} is ${reason}`;
      reader.report.error({ code: "manifest.bad_value", field: entryPath, message, on: "key" });
      continue;
    }
    const value = readItem(field, entry.value, entryPath, reader);
    if (value !== undefined) json[entry.key] = value;
  }
  return json;
}

/** Assigned to an object, this key would be its prototype and no entry. */
const PROTO = "__proto__";

/** Only 32-bit keys are in use; a second spelling of a number would be a second key. */
function isKey(key: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32;
}

function readItem(
  type: ValueType,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  if (tree.type !== "scalar" || tree.value !== null) return readValue(type, tree, path, reader);
  bad(reader, path, `${path} is empty`, "give it a value or remove it");
  return undefined;
}

function readValue(
  type: ValueType,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  if (type.message !== undefined) return readMessageValue(type.message, tree, path, reader);
  if (type.enum !== undefined) return readEnum(type.enum, tree, path, reader);
  return readScalar(type.scalar ?? ScalarType.STRING, tree, path, reader);
}

function readMessageValue(
  desc: DescMessage,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  const wrapped = WRAPPERS[desc.typeName];
  if (wrapped !== undefined) return readScalar(wrapped, tree, path, reader);
  switch (desc.typeName) {
    case "google.protobuf.Duration":
      return readDuration(tree, path, reader);
    case "google.protobuf.Struct":
      if (tree.type === "map") return toJsonValue(tree, path, reader);
      bad(reader, path, `${path} is ${whatIs(tree)}, not a map`);
      return undefined;
    default:
      return readMessage(desc, tree, { path, reader });
  }
}

function readDuration(tree: Tree, path: string, reader: SchemaReader): JsonValue | undefined {
  const nanos =
    tree.type === "scalar" && typeof tree.value === "string"
      ? parseDuration(tree.value)
      : undefined;
  if (nanos !== undefined) return formatDuration(nanos);
  const help = "write a number and a unit of ns, us, ms, s, m or h, such as `10s` or `1m30s`";
  bad(reader, path, `${path} is ${whatIs(tree)}, not a duration`, help);
  return undefined;
}

function readEnum(
  desc: DescEnum,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  const names = desc.values.map((value) => value.name);
  const value = tree.type === "scalar" ? tree.source : "";
  if (tree.type === "scalar" && names.includes(value)) return value;
  const help = `${didYouMean(value, names) ?? ""} it is one of ${names.join(", ")}`.trimStart();
  bad(reader, path, `${path} cannot be ${whatIs(tree)}`, help);
  return undefined;
}

function readScalar(
  type: ScalarType,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  const value = tree.type === "scalar" ? tree.value : undefined;
  switch (type) {
    case ScalarType.STRING:
      if (typeof value === "string") return value;
      bad(
        reader,
        path,
        `${path} is ${whatIs(tree)}, not a text`,
        tree.type === "scalar" ? `put it in quotes: "${tree.source}"` : undefined,
      );
      return undefined;
    case ScalarType.BOOL:
      if (typeof value === "boolean") return value;
      bad(reader, path, `${path} is ${whatIs(tree)}, neither true nor false`);
      return undefined;
    case ScalarType.DOUBLE:
      if (typeof value === "number" && Number.isFinite(value)) return value;
      bad(reader, path, `${path} is ${whatIs(tree)}, not a number`);
      return undefined;
    case ScalarType.BYTES:
      if (typeof value === "string" && isBase64(value)) return value;
      bad(reader, path, `${path} is ${whatIs(tree)}, not bytes in base64`);
      return undefined;
    default:
      return readInteger(type, tree, path, reader);
  }
}

function readInteger(
  type: ScalarType,
  tree: Tree,
  path: string,
  reader: SchemaReader,
): JsonValue | undefined {
  const value = tree.type === "scalar" ? tree.value : undefined;
  const [min, max] = INTEGER_RANGES[type] ?? [0n, 0n];
  const isLong = type === ScalarType.INT64 || type === ScalarType.UINT64;
  const digits =
    tree.type === "scalar" && /^-?\d{1,20}$/.test(tree.source) ? tree.source : undefined;
  // ProtoJSON writes 64-bit numbers as texts.
  const isText = isLong && typeof value === "string" && digits !== undefined;
  const isNumber = typeof value === "number" && Number.isInteger(value);
  if (!isNumber && !isText) {
    bad(reader, path, `${path} is ${whatIs(tree)}, not a whole number`);
    return undefined;
  }
  // Above 2^53 a number is not what was written; its digits are.
  const exact = BigInt(digits ?? value);
  if (exact < min || exact > max) {
    bad(reader, path, `${path} is ${exact}, outside ${min} to ${max}`);
    return undefined;
  }
  return isLong ? String(exact) : Number(exact);
}

/** Any value, as it is: the inside of a Struct has no schema. */
function toJsonValue(tree: Tree, path: string, reader: SchemaReader): JsonValue {
  switch (tree.type) {
    case "scalar":
      if (typeof tree.value === "number" && !Number.isFinite(tree.value)) {
        bad(reader, path, `${path} holds ${tree.source}, which JSON does not have`);
        return null;
      }
      return tree.value;
    case "list":
      return tree.items.map((item) => toJsonValue(item, path, reader));
    case "map":
      if (tree.entries.some(({ key }) => key === PROTO)) {
        bad(reader, path, `${path} holds the key ${PROTO}, which is reserved`);
        return null;
      }
      return Object.fromEntries(
        sorted(tree).map(({ key, value }) => [key, toJsonValue(value, path, reader)]),
      );
  }
}

/** Entries by key: the order of a map says nothing, and must not reach the bytes. */
function sorted(tree: TreeMap): TreeEntry[] {
  return [...tree.entries].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function bad(reader: SchemaReader, path: string, message: string, help?: string): void {
  reader.report.bad(path, message, help);
}

/** Of a message with more fields than this, only the first are named. */
const FIELDS_NAMED_MAX = 6;

/** Text longer than this is cut in a message. */
const QUOTE_LENGTH_MAX = 60;

/** A value in a few words: `"80"`, `3.5`, `a list`. */
export function whatIs(tree: Tree): string {
  switch (tree.type) {
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "scalar": {
      if (tree.value === null) return "empty";
      if (typeof tree.value !== "string") return tree.source;
      const cut = tree.value.length > QUOTE_LENGTH_MAX;
      return JSON.stringify(cut ? `${tree.value.slice(0, QUOTE_LENGTH_MAX)}…` : tree.value);
    }
  }
}
