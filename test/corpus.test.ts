import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isError, isKind, LATER_KINDS, readManifests, untranslated } from "@weft/core/mesh";
import { expect, type TestContext, test } from "vitest";
import { parseAllDocuments } from "yaml";

const corpus = resolve(import.meta.dirname, "../../shared/corpus");

/** What became of a document: it was taken, taken with a warning, or refused with these codes. */
type Outcome = string;

function requireCorpus(context: TestContext): void {
  if (!existsSync(corpus)) context.skip("corpus not present");
}

function filesOf(pattern: string): string[] {
  return globSync(pattern, { cwd: corpus }).sort();
}

/** The documents of a file by themselves, without the remark of what is wrong with them. */
function documentsOf(file: string): string[] {
  const text = readFileSync(resolve(corpus, file), "utf8");
  return text.split(/^---.*$/m).map((document) => document.replace(/^_err:.*$/m, ""));
}

function outcomeOf(file: string, text: string): Outcome {
  const { manifests, findings } = readManifests([{ path: file, text }], { namespace: "default" });
  const codes = [...new Set(findings.filter(isError).map(({ code }) => code))].sort();
  if (codes.length > 0) return codes.join(" ");
  if (manifests.length === 0) return "empty";
  return manifests.some((manifest) => untranslated(manifest).length > 0) ? "warned" : "taken";
}

/** What has to become of a document, by its kind alone. */
function expectedOf(text: string): Outcome {
  const [document] = parseAllDocuments(text);
  if (document === undefined || !("contents" in document)) return "empty";
  if (document.errors.length > 0) return "manifest.syntax";
  const resource: unknown = document.toJS();
  if (resource === null || resource === undefined) return "empty";
  const { kind = "", apiVersion = "" } = resource as { kind?: string; apiVersion?: string };
  const isIstio = /^(?:networking|security|telemetry|extensions)\.istio\.io\//.test(apiVersion);
  if (kind === "") return "manifest.missing_field";
  if (isIstio) return isKind(kind) && !LATER_KINDS.has(kind) ? "taken" : "manifest.unknown_kind";
  return apiVersion.startsWith("install.istio.io/")
    ? "manifest.unknown_kind"
    : "manifest.foreign_kind";
}

/** How often each outcome is there. What is warned of depends on translation, and is taken. */
function tallyOf(outcomes: readonly Outcome[]): Record<Outcome, number> {
  const tally: Record<Outcome, number> = {};
  for (const outcome of outcomes) {
    const merged = outcome === "warned" ? "taken" : outcome;
    tally[merged] = (tally[merged] ?? 0) + 1;
  }
  return tally;
}

function allOutcomes(files: readonly string[]): Outcome[] {
  return files
    .flatMap((file) => documentsOf(file).map((text) => outcomeOf(file, text)))
    .filter((outcome) => outcome !== "empty");
}

/** Documents that differ from what their kind says, by file; a warning is no difference. */
function surprises(files: readonly string[]): Record<string, Outcome[]> {
  const found: Record<string, Outcome[]> = {};
  for (const file of files) {
    for (const text of documentsOf(file)) {
      const outcome = outcomeOf(file, text);
      if ((outcome === "warned" ? "taken" : outcome) === expectedOf(text)) continue;
      found[file] = [...(found[file] ?? []), outcome];
    }
  }
  return found;
}

test("Istio's samples are taken, or refused for their kind", (context) => {
  requireCorpus(context);
  const files = filesOf("istio-samples/**/*.{yaml,json,tmpl}");
  expect(tallyOf(allOutcomes(files))).toEqual({
    "manifest.bad_metadata manifest.bad_value": 1,
    "manifest.foreign_kind": 153,
    "manifest.missing_field": 1,
    "manifest.unknown_kind": 6,
    taken: 63,
  });
  expect(surprises(files)).toEqual({
    // A template, whose placeholders are no names.
    "istio-samples/multicluster/expose-istiod-rev.yaml.tmpl": [
      "manifest.bad_metadata manifest.bad_value",
    ],
  });
});

test("examples of the documentation are taken, or refused with a reason", (context) => {
  requireCorpus(context);
  const files = filesOf("istio-docs-examples/*.yaml");
  expect(tallyOf(allOutcomes(files))).toEqual({
    "manifest.bad_metadata": 1,
    "manifest.bad_metadata manifest.missing_field": 1,
    "manifest.foreign_kind": 38,
    "manifest.missing_field": 2,
    "manifest.syntax": 1,
    "manifest.unknown_kind": 95,
    taken: 108,
  });
  const wrong = (name: string): string => `istio-docs-examples/${name}.yaml`;
  expect(surprises(files)).toEqual({
    // No rule at all.
    [wrong("concepts__traffic-management.34d607a5ba")]: ["manifest.missing_field"],
    // `name: myapp-...`, and nothing else.
    [wrong("ops__best-practices__traffic-management.663712038d")]: [
      "manifest.bad_metadata manifest.missing_field",
    ],
    // A namespace in capitals.
    [wrong("reference__config__networking__virtual-service__index.0c5fcd6c0c")]: [
      "manifest.bad_metadata",
    ],
    // A Gateway without servers.
    [wrong("setup__additional-setup__gateway.82e96b6f6a")]: ["manifest.missing_field"],
  });
});

test("templates and fragments are refused with a reason, or taken", (context) => {
  requireCorpus(context);
  const fragments = filesOf("istio-docs-examples/fragments-not-parsing/*");
  expect(tallyOf(allOutcomes(fragments))).toEqual({ "manifest.syntax": 5 });
  const templates = filesOf("istio-docs-examples/templated/*");
  expect(tallyOf(allOutcomes(templates))).toEqual({
    "manifest.bad_value": 9,
    "manifest.missing_field": 1,
    "manifest.unknown_kind": 6,
    taken: 3,
  });
});

test("bookinfo's routes are taken without an error", (context) => {
  requireCorpus(context);
  const names = [
    "bookinfo-gateway",
    "destination-rule-all",
    "virtual-service-all-v1",
    "virtual-service-reviews-90-10",
    "virtual-service-ratings-test-delay",
    "virtual-service-ratings-test-abort",
  ];
  const outcomes = names.flatMap((name) => {
    const file = `istio-samples/bookinfo/networking/${name}.yaml`;
    return documentsOf(file).map((text) => outcomeOf(file, text));
  });
  expect(new Set(outcomes.filter((outcome) => outcome !== "empty"))).toEqual(new Set(["taken"]));
});

test("what Istio's schema refuses is refused, and what it takes is taken", (context) => {
  requireCorpus(context);
  const outcomesOf = (pattern: string): Outcome[] =>
    filesOf(pattern).flatMap((file) =>
      documentsOf(file)
        .filter((text) => expectedOf(text) === "taken")
        .map((text) => outcomeOf(file, text)),
    );
  const invalid = outcomesOf("crd-validation/*-invalid.yaml");
  expect(tallyOf(invalid)).toEqual({
    "manifest.bad_metadata manifest.bad_value": 1,
    "manifest.bad_value": 13,
    "manifest.conflicting_fields": 4,
    "manifest.missing_field": 3,
    "manifest.repeated_value": 3,
  });
  const valid = outcomesOf("crd-validation/*-valid*.yaml");
  expect(tallyOf(valid)).toEqual({ taken: 8 });
});

test("kinds that the mesh does not have yet are refused as such", (context) => {
  requireCorpus(context);
  const later = filesOf("{crd-validation,authz}/**/*.yaml").flatMap((file) =>
    documentsOf(file)
      .filter((text) => expectedOf(text) === "manifest.unknown_kind")
      .map((text) => outcomeOf(file, text)),
  );
  expect(later.length).toBe(46);
  expect(new Set(later)).toEqual(new Set(["manifest.unknown_kind"]));
});
