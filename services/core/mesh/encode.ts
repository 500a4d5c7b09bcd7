import {
  clone,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Kind, SPECS, type Spec } from "./resource.ts";

/** A spec as it is stored: equal specs give equal bytes, however their maps were filled. */
export function encodeSpec<K extends Kind>(kind: K, spec: Spec<K>): Uint8Array<ArrayBuffer> {
  const schema: DescMessage = SPECS[kind];
  const sorted: Message = clone(schema, spec);
  sortMaps(reflect(schema, sorted));
  return toBinary(schema, sorted);
}

/** A map with its keys in code unit order: the order of writing is that of insertion. */
export function sortKeys<V>(map: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function sortMaps(message: ReflectMessage): void {
  const plain = message.message as unknown as Record<string, unknown>;
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    switch (field.fieldKind) {
      case "map": {
        const map = message.get(field);
        plain[field.localName] = sortKeys(plain[field.localName] as Record<string, unknown>);
        if (field.mapKind === "message") {
          for (const value of map.values()) sortMaps(value as ReflectMessage);
        }
        break;
      }
      case "list":
        if (field.listKind === "message") {
          for (const item of message.get(field)) sortMaps(item as ReflectMessage);
        }
        break;
      case "message":
        if (field.message.typeName === "google.protobuf.Struct") {
          plain[field.localName] = sortJson(plain[field.localName] as JsonObject);
        } else {
          sortMaps(message.get(field));
        }
        break;
      case "enum":
      case "scalar":
        break;
    }
  }
}

function sortJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortJson);
  if (value === null || typeof value !== "object") return value;
  return sortKeys(Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sortJson(v)])));
}
