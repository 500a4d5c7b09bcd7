import { createHash } from "node:crypto";
import { WeftError } from "@weft/core/error";
import {
  applyManifests,
  checkMesh,
  emptyMesh,
  isError,
  previewMesh,
  readManifests,
  untranslated,
} from "@weft/core/mesh";
import { type Finding, Finding_Severity } from "@weft/proto/weft/control/v1/control_pb.ts";
import { toJson, translate } from "@weft/xds/translate";
import type { Command } from "commander";
import { readDocuments, readText } from "../documents.ts";
import { LocatedError } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { type SourceText, sayFindings } from "../failure.ts";
import { addHelpSections, addOutputOption, type Form } from "../options.ts";
import { toYaml } from "../print.ts";
import { readProxy } from "../proxy-description.ts";
import { createTerminal } from "../terminal.ts";

export function registerTranslate(program: Command): void {
  const command = program
    .command("translate")
    .description("print what a proxy would get from these files; asks no control plane")
    .requiredOption("-f, --filename <path...>", "file, folder with .yaml files, or - for stdin")
    .requiredOption("--proxy <path>", "JSON: {id, type, ip, namespace, labels, metadata}")
    .option("-n, --namespace <name>", "namespace of resources that name none", "default");
  addOutputOption(command, ["json", "yaml"]);
  addHelpSections(command, {
    exits: [EXIT.badFile, EXIT.missing],
    examples: [
      "weft translate -f mesh/ --proxy shop-1.json",
      "weft translate -f mesh.yaml --proxy shop-1.json | jq '.clusters[].name'",
    ],
  });
  command.action(() => run(command));
}

async function run(command: Command): Promise<void> {
  const { filename, proxy, namespace, output } = command.opts() as {
    filename: string[];
    proxy: string;
    namespace: string;
    output: Form;
  };
  const documents = readDocuments(filename);
  const description = readProxy(readText(proxy), proxy);
  const terminal = createTerminal();
  const { mesh, findings } = foldDocuments(documents, namespace);
  sayFindings(terminal, findings, documents);
  const { extensions, ...resources } = toJson(translate(mesh, description, () => undefined));
  const json = extensions.length === 0 ? resources : { ...resources, extensions };
  terminal.out(output === "json" ? `${JSON.stringify(json, null, 2)}\n` : await toYaml(json));
}

/** The mesh that would be if nothing but these documents were applied, and what is to be said. */
function foldDocuments(documents: readonly SourceText[], namespace: string) {
  const { manifests, findings: read } = readManifests(documents, { namespace });
  refuseErrors(read, documents);
  const empty = emptyMesh("translate");
  const mesh = previewMesh(empty, applyManifests(empty, manifests), sha256);
  const checked = checkMesh(mesh, manifests).map(withoutStore);
  const findings = [...read, ...checked, ...manifests.flatMap(untranslated)];
  refuseErrors(findings, documents);
  return { mesh, findings };
}

/** Published modules are with a control plane, so that here none can be missing. */
function withoutStore(finding: Finding): Finding {
  if (finding.code !== "plugin.unknown") return finding;
  return { ...finding, severity: Finding_Severity.WARNING };
}

function refuseErrors(findings: readonly Finding[], documents: readonly SourceText[]): void {
  const errors = findings.filter(isError).length;
  if (errors === 0) return;
  const message = `${errors === 1 ? "1 error" : `${errors} errors`}; nothing was translated`;
  throw new LocatedError(
    new WeftError("invalid", "control.refused", message, { findings }),
    documents,
  );
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
