import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { formatDuration } from "./duration.ts";
import { sortKeys } from "./encode.ts";
import { specFromJson } from "./manifest.ts";
import { type Kind, SPECS, type Spec } from "./resource.ts";

/** Draws a whole number from 0 to `max`: the only randomness, and it is handed in. */
export type Draw = (max: number) => number;

/** A drawer of numbers that a seed decides (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  return (max) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % (max + 1);
  };
}

/** Below this depth messages stay empty: all kinds are flatter. */
const DEPTH_MAX = 8;

const TEXTS = [
  "a",
  "v1",
  "reviews",
  'say "hi"',
  "x: y",
  "1",
  "true",
  "null",
  " ",
  "~",
  "#",
  "\u00fc",
];

/** A spec of a kind with any of its fields set to anything of their type; for tests of laws. */
export function drawSpec<K extends Kind>(kind: K, draw: Draw): Spec<K> {
  return specFromJson(kind, drawMessage(SPECS[kind], draw, 0));
}

/** ProtoJSON of a message in which only `field` is set, to something that is not its default. */
export function fieldJson(field: DescField, inner: JsonObject = {}): JsonObject {
  return { [field.jsonName]: drawField(field, () => 1, inner) };
}

function drawMessage(desc: DescMessage, draw: Draw, depth: number): JsonObject {
  const json: JsonObject = {};
  if (depth > DEPTH_MAX) return json;
  for (const field of desc.fields) {
    // Of a choice only the first that is drawn is set.
    if (field.oneof?.fields.some((sibling) => sibling.jsonName in json)) continue;
    if (draw(3) > 0) continue;
    const inner = field.message === undefined ? {} : drawMessage(field.message, draw, depth + 1);
    json[field.jsonName] = drawField(field, draw, inner);
  }
  return json;
}

function drawField(field: DescField, draw: Draw, inner: JsonObject): JsonValue {
  switch (field.fieldKind) {
    case "list":
      return Array.from({ length: draw(2) + 1 }, () => drawValue(field, draw, inner));
    case "map": {
      const entries = Array.from({ length: draw(2) + 1 }, () => {
        const key = field.mapKey === ScalarType.STRING ? drawText(draw) : String(draw(65_535));
        return [key, drawValue(field, draw, inner)] as const;
      });
      return sortKeys(Object.fromEntries(entries));
    }
    case "message":
    case "enum":
    case "scalar":
      return drawValue(field, draw, inner);
  }
}

function drawValue(field: DescField, draw: Draw, inner: JsonObject): JsonValue {
  if (field.enum !== undefined) {
    const { values } = field.enum;
    return values[draw(values.length - 1)]?.name ?? "";
  }
  switch (field.message?.typeName) {
    case undefined:
      return drawScalar(field.scalar ?? ScalarType.STRING, draw);
    case "google.protobuf.Duration":
      return formatDuration(BigInt(draw(1_000_000)) * 1_000_000n);
    case "google.protobuf.Struct":
      return { [drawText(draw)]: [draw(9), drawText(draw), { nested: null, flag: true }] };
    case "google.protobuf.BoolValue":
      return draw(1) === 1;
    case "google.protobuf.DoubleValue":
    case "google.protobuf.Int32Value":
    case "google.protobuf.UInt32Value":
      return draw(100);
    default:
      return inner;
  }
}

function drawScalar(type: ScalarType, draw: Draw): JsonValue {
  switch (type) {
    case ScalarType.STRING:
      return drawText(draw);
    case ScalarType.BOOL:
      return draw(1) === 1;
    case ScalarType.DOUBLE:
      return draw(1000) / 10;
    case ScalarType.BYTES:
      return "aGVsbG8=";
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return String(draw(2 ** 31));
    default:
      return draw(100_000);
  }
}

function drawText(draw: Draw): string {
  return TEXTS[draw(TEXTS.length - 1)] ?? "";
}
