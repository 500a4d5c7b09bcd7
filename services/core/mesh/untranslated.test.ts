import type { DescField, DescMessage, JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { fieldJson } from "./arbitrary.ts";
import { manifestOf, type ReadManifest, readManifests, specFromJson } from "./manifest.ts";
import { type Kind, SPECS } from "./resource.ts";
import { TRANSLATED } from "./translated.ts";
import { patternOf, untranslatedFields } from "./untranslated.ts";

const kinds = Object.keys(SPECS) as Kind[];

/** A spec in which one field is set, and the pattern that names it. */
interface Single {
  readonly pattern: string;
  readonly json: JsonObject;
}

/** Every field of a message that holds a value, each in a message of its own. */
function singlesOf(desc: DescMessage): Single[] {
  return desc.fields.flatMap((field): Single[] => {
    if (isLeaf(field)) return [{ pattern: patternOf(field), json: fieldJson(field) }];
    return singlesOf(field.message as DescMessage).map(({ pattern, json }) => ({
      pattern: `${patternOf(field)}.${pattern}`,
      json: fieldJson(field, json),
    }));
  });
}

function isLeaf({ message }: DescField): boolean {
  return message === undefined || message.typeName.startsWith("google.protobuf.");
}

function manifestWith(kind: Kind, json: JsonObject): ReadManifest {
  const spec = specFromJson(kind, json);
  const head = { name: "one", namespace: "default", labels: {}, annotations: {} };
  const at = { line: 1, column: 1 };
  const manifest = manifestOf(kind, head, { spec });
  return { kind, ...head, manifest, spec, path: "one.yaml", at, places: new Map() };
}

function isTranslated(kind: Kind, pattern: string): boolean {
  return TRANSLATED[kind].some((listed) =>
    listed.endsWith(".**")
      ? `${pattern}.`.startsWith(listed.slice(0, -"**".length))
      : listed === pattern,
  );
}

test.each(kinds)("%s: each field is translated or warned of", (kind) => {
  const wrong = singlesOf(SPECS[kind]).filter(({ pattern, json }) => {
    const warned = untranslatedFields(manifestWith(kind, json)).length > 0;
    return warned === isTranslated(kind, pattern);
  });
  expect(wrong).toEqual([]);
});

test.each(kinds)("%s: what is listed as translated is a field", (kind) => {
  const patterns = singlesOf(SPECS[kind]).map(({ pattern }) => pattern);
  const unknown = TRANSLATED[kind].filter((listed) => {
    const path = listed.replace(/\.\*\*$/, "");
    return !patterns.some((each) => each === path || each.startsWith(`${path}.`));
  });
  expect(unknown).toEqual([]);
});

test("a field's default is no field of its own: DISABLE is what tls means without a mode", () => {
  const spec = { host: "one", trafficPolicy: { tls: { mode: "DISABLE" } } };
  expect(untranslatedFields(manifestWith("DestinationRule", spec))).toEqual([]);
});

test("a warning names the field and where it stands", () => {
  const text = `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: stamp }
spec:
  url: weft://stamp
  verificationKey: abc
`;
  const { manifests } = readManifests([{ path: "stamp.yaml", text }], { namespace: "default" });
  const warnings = manifests
    .flatMap(untranslatedFields)
    .filter(({ field }) => field === "spec.verificationKey");
  expect(warnings).toMatchObject([
    {
      code: "manifest.untranslated",
      number: "WEFT0109",
      subject: "WasmPlugin default/stamp",
      message: "verificationKey is stored, but not translated yet",
      line: 7,
      column: 3,
    },
  ]);
});
