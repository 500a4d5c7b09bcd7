import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { WeftError } from "../error.ts";
import { apiVersionOf } from "./kinds.ts";
import { specFromJson } from "./manifest.ts";
import type { Metadata } from "./metadata.ts";
import { isKind, type Kind, type Resource, SPECS, type Spec } from "./resource.ts";

/** What of a resource can be seen in its manifest. */
export type Viewed<K extends Kind = Kind> = Pick<
  Resource<K>,
  "kind" | "namespace" | "name" | "labels" | "annotations" | "spec"
>;

/**
 * A resource as people write it: apiVersion, kind, metadata and spec, in Istio's names. Settings
 * whose zero means something, such as `mode: PASSTHROUGH`, are written out.
 */
export function toManifestJson<K extends Kind>(resource: Viewed<K>): JsonObject {
  const { kind, namespace, name, labels, annotations } = resource;
  const desc: DescMessage = SPECS[kind];
  const spec = toJson(desc, resource.spec);
  asWritten(desc, spec);
  return {
    apiVersion: apiVersionOf(kind),
    kind,
    metadata: {
      name,
      ...(namespace === "" ? {} : { namespace }),
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...labels } }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }),
    },
    spec,
  };
}

/**
 * The resource of a manifest that `toManifestJson` made: any kind, and no checks.
 *
 * @throws WeftError invalid `manifest.bad_value`: the JSON was made by something else.
 */
export function fromManifestJson(json: JsonObject): Viewed {
  const { kind, metadata, spec } = json;
  if (typeof kind !== "string" || !isKind(kind)) {
    throw new WeftError("invalid", "manifest.unknown_kind", `${kind} is no kind of resource`);
  }
  const { name = "", namespace = "", labels, annotations } = (metadata ?? {}) as Partial<Metadata>;
  return {
    kind,
    namespace,
    name,
    labels: labels ?? {},
    annotations: annotations ?? {},
    spec: readSpec(kind, (spec ?? {}) as JsonObject),
  };
}

function readSpec(kind: Kind, json: JsonObject): Spec<Kind> {
  try {
    return specFromJson(kind, json);
  } catch (cause) {
    const message = `the manifest is no ${kind}`;
    throw new WeftError("invalid", "manifest.bad_value", message, { cause });
  }
}

/** Names of zeros that say "not set": all others say something. */
const UNSET = /^(?:UNSET|UNDEFINED|UNSPECIFIED|DEFAULT|TLS_AUTO)|^UNSPECIFIED_/;

/** Turns ProtoJSON into what people write: zeros that mean something, 64-bit numbers as numbers. */
function asWritten(desc: DescMessage, json: JsonValue): void {
  if (json === null || typeof json !== "object" || Array.isArray(json)) return;
  for (const field of desc.fields) {
    const value = json[field.jsonName];
    if (value === undefined) {
      const zero = zeroOf(field);
      if (zero !== undefined) json[field.jsonName] = zero;
    } else if (field.fieldKind === "scalar" && isLong(field.scalar)) {
      const number = Number(value);
      if (Number.isSafeInteger(number)) json[field.jsonName] = number;
    } else {
      for (const inner of innerValues(field, value)) asWritten(inner.desc, inner.json);
    }
  }
}

function isLong(type: ScalarType): boolean {
  return type === ScalarType.INT64 || type === ScalarType.UINT64;
}

/** The zero of an enum that is not part of a choice, if it means something. */
function zeroOf(field: DescField): string | undefined {
  if (field.fieldKind !== "enum" || field.oneof !== undefined) return undefined;
  const zero = field.enum.value[0]?.name ?? "";
  return UNSET.test(zero) ? undefined : zero;
}

function innerValues(field: DescField, value: JsonValue): { desc: DescMessage; json: JsonValue }[] {
  // A type with a JSON form of its own has no fields in it.
  if (field.message === undefined || field.message.typeName.startsWith("google.protobuf.")) {
    return [];
  }
  const desc = field.message;
  switch (field.fieldKind) {
    case "list":
      return (value as JsonValue[]).map((json) => ({ desc, json }));
    case "map":
      return Object.values(value as JsonObject).map((json) => ({ desc, json }));
    case "message":
      return [{ desc, json: value }];
  }
}
