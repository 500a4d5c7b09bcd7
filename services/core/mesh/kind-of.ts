import type { Report } from "./finding.ts";
import {
  apiVersionOf,
  isGatewayApiGroup,
  isPlatformGroup,
  KIND_FORMS,
  LATER_KINDS,
  splitApiVersion,
} from "./kinds.ts";
import { isKind, type Kind, SPECS } from "./resource.ts";
import { didYouMean } from "./suggest.ts";

/** Other spellings of MeshConfig's version: it is a file in Istio and has no API group. */
const MESH_CONFIG_VERSIONS = ["", "istio.mesh.v1alpha1", "istio.mesh/v1alpha1"];

/** The kind of a document, or undefined once the reason against it is reported. */
export function kindOf(
  { kind, apiVersion }: { readonly kind: string; readonly apiVersion: string },
  report: Report,
): Kind | undefined {
  const { group } = splitApiVersion(apiVersion);
  if (kind === "") {
    report.missing("kind", "the document has no kind", "begin with apiVersion and kind");
  } else if (kind === "MeshConfig" && MESH_CONFIG_VERSIONS.includes(apiVersion)) {
    return kind;
  } else if (apiVersion === "") {
    const help = isKind(kind) ? `write apiVersion: ${apiVersionOf(kind)}` : undefined;
    report.missing("apiVersion", `${kind} has no apiVersion`, help);
  } else if (isGatewayApiGroup(group)) {
    foreign(`${kind} is of the Gateway API, which this version does not translate`, report, {
      help: "write the same as Istio's Gateway and VirtualService",
    });
  } else if (isPlatformGroup(group)) {
    foreign(`${kind} (${apiVersion}) belongs to Kubernetes, not to the mesh`, report);
  } else if (kind === "Plugin") {
    const help = "publish a plugin with `weft plugin push`";
    foreign("Plugin is made by publishing a module, not by a manifest", report, { help });
  } else if (isKind(kind)) {
    return checkVersion(kind, apiVersion, report);
  } else {
    unknownKind(kind, apiVersion, report);
  }
  return undefined;
}

function checkVersion(kind: Kind, apiVersion: string, report: Report): Kind | undefined {
  const { group, versions } = KIND_FORMS[kind];
  const known = versions.map((version) => `${group}/${version}`);
  if (known.includes(apiVersion)) return kind;
  report.error({
    code: "manifest.unknown_version",
    field: "apiVersion",
    message: `${kind} is not read in version ${apiVersion}`,
    help: `write ${known.join(" or ")}`,
  });
  return undefined;
}

function unknownKind(kind: string, apiVersion: string, report: Report): void {
  const error = (message: string, help?: string): void =>
    report.error({ code: "manifest.unknown_kind", field: "kind", message, help });
  const { group } = splitApiVersion(apiVersion);
  if (LATER_KINDS.has(kind) && group.endsWith(".istio.io")) {
    error(
      `${kind} is known to Istio but not yet translated by this version`,
      "leave it out; nothing would act on it",
    );
    return;
  }
  const near = didYouMean(kind, Object.keys(SPECS));
  error(`${kind} (${apiVersion}) is no kind that a mesh holds`, near);
}

function foreign(message: string, report: Report, { help }: { help?: string } = {}): void {
  report.error({ code: "manifest.foreign_kind", field: "kind", message, help });
}
