import {
  create,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";

/** What every type URL begins with. */
export const TYPE_URL_PREFIX = "type.googleapis.com/";

export function typeUrlOf(schema: DescMessage): string {
  return TYPE_URL_PREFIX + schema.typeName;
}

/**
 * Encodes a message so that equal messages have equal bytes: maps are written in key order. Puts
 * the message's maps into that order on the way.
 */
export function encode<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array {
  sortMaps(schema, message as unknown as Fields);
  return toBinary(schema, message);
}

/** A message as an Any, encoded like `encode`. */
export function pack<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  const message = create(schema, init);
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: encode(schema, message) });
}

/** A JSON value with the keys of its objects in order. */
export function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortKeys) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)])) as T;
}

type Fields = Record<string, unknown>;

/** The fields through which a message may reach a map, once per type. */
const reaching = new WeakMap<DescMessage, readonly DescField[]>();

function fieldsReachingMaps(schema: DescMessage): readonly DescField[] {
  const known = reaching.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields.filter(
    (field) => field.fieldKind === "map" || (field.message !== undefined && !isPlain(field)),
  );
  reaching.set(schema, fields);
  return fields;
}

/** Well-known types other than Struct hold no maps, and some are not messages in TypeScript. */
function isPlain({ message }: DescField): boolean {
  return message?.file.name.startsWith("google/protobuf/") === true && !isStruct(message);
}

function isStruct(message: DescMessage | undefined): boolean {
  return message?.typeName === "google.protobuf.Struct";
}

function sortMaps(schema: DescMessage, message: Fields): void {
  for (const field of fieldsReachingMaps(schema)) {
    const holder = field.oneof === undefined ? message : chosen(message, field);
    const key = field.oneof === undefined ? field.localName : "value";
    const value = holder?.[key];
    if (holder === undefined || value === undefined) continue;
    if (isStruct(field.message) && field.fieldKind === "message") {
      holder[key] = sortKeys(value);
    } else if (field.fieldKind === "map") {
      holder[key] = sortMap(field.message, value as Fields);
    } else if (field.message !== undefined) {
      for (const each of Array.isArray(value) ? value : [value]) sortMaps(field.message, each);
    }
  }
}

function chosen(message: Fields, field: DescField): Fields | undefined {
  const oneof = message[field.oneof?.localName ?? ""] as { case?: string } | undefined;
  return oneof?.case === field.localName ? (oneof as Fields) : undefined;
}

function sortMap(values: DescMessage | undefined, map: Fields): Fields {
  if (isStruct(values)) return sortKeys(map);
  const keys = Object.keys(map).sort();
  return Object.fromEntries(
    keys.map((key) => {
      const value = map[key];
      if (values !== undefined) sortMaps(values, value as Fields);
      return [key, value];
    }),
  );
}
