import type { PolicyTargetReference } from "@weft/proto/weft/mesh/v1/selector_pb.ts";
import {
  WasmPlugin_VmConfig_EnvValueSource as EnvValueSource,
  type WasmPlugin_VmConfig as VmConfig,
  type WasmPlugin,
} from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import type { Report } from "./finding.ts";
import { checkLabels, checkPort, checkUnique } from "./limits.ts";
import { isDnsLabel } from "./names.ts";

const SCHEMES = ["oci", "http", "https", "file", "weft"];

/** An image's name as registries take it, with tag or digest. */
const IMAGE = new RegExp(
  [
    /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)*/,
    /(?::\w[\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/,
  ]
    .map(({ source }) => source)
    .join(""),
  "i",
);

/** Lengths of Istio's schema. */
const ENV_VALUE_LENGTH_MAX = 2048;
const NAME_LENGTH_MAX = 256;
const TARGETS_MAX = 16;

/** What a policy can be attached to: `group/kind`. */
const TARGETS = [
  "/Service",
  "core/Service",
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
  "networking.istio.io/ServiceEntry",
];

/** Reports what is wrong with a WasmPlugin by itself (istio-api.md, 1.13). */
export function validateWasmPlugin(spec: WasmPlugin, report: Report): void {
  if (spec.url === "") report.missing("url", "WasmPlugin has no url");
  else checkUrl(spec.url, report);
  if (spec.sha256 !== "" && !/^[a-f0-9]{64}$/.test(spec.sha256)) {
    report.bad("sha256", "sha256 is not 64 lower-case hex digits");
  }
  for (const [field, max] of [
    ["imagePullSecret", NAME_LENGTH_MAX - 3],
    ["pluginName", NAME_LENGTH_MAX],
  ] as const) {
    if (!report.isWritten(field)) continue;
    if (spec[field] === "") report.bad(field, `${field} is empty`);
    if (spec[field].length > max) report.bad(field, `${field} is longer than ${max} characters`);
  }
  checkLabels(spec.selector?.matchLabels ?? {}, { report, field: "selector.matchLabels" });
  checkTargets(spec, report);
  if (spec.vmConfig) checkEnvironment(spec.vmConfig, report.in("vmConfig"));
  for (const [index, { ports }] of spec.match.entries()) {
    for (const [position, { number }] of ports.entries()) {
      checkPort(number, { report, field: `match[${index}].ports[${position}].number` });
    }
  }
}

/** The name of a plugin in Weft's own store, or undefined if the url leads elsewhere. */
export function storedPluginOf(url: string): string | undefined {
  return url.startsWith("weft://") ? url.slice("weft://".length) : undefined;
}

function checkUrl(url: string, report: Report): void {
  const [, scheme = "oci", rest = url] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  const problem = urlProblem(scheme.toLowerCase(), rest);
  if (problem === undefined) return;
  const help = `begin it with one of ${SCHEMES.map((each) => `${each}://`).join(", ")}`;
  report.bad("url", `url ${JSON.stringify(url)} ${problem}`, help);
}

function urlProblem(scheme: string, rest: string): string | undefined {
  switch (scheme) {
    case "oci":
      return IMAGE.test(rest) ? undefined : "is no name of an image";
    case "http":
    case "https":
      return /^[^\s/?#]+(?:[/?#]\S*)?$/.test(rest) ? undefined : "has no host";
    case "file":
      return rest.startsWith("/") ? undefined : "is no absolute path";
    case "weft":
      return isDnsLabel(rest) ? undefined : "is no name of a plugin";
    default:
      return `has the scheme ${scheme}, which modules are not fetched by`;
  }
}

function checkTargets({ selector, targetRef, targetRefs }: WasmPlugin, report: Report): void {
  const written = [
    ...(selector ? ["selector"] : []),
    ...(targetRef ? ["targetRef"] : []),
    ...(targetRefs.length > 0 ? ["targetRefs"] : []),
  ];
  const [first, second] = written;
  if (second !== undefined) {
    report.conflict(second, `WasmPlugin has both ${first} and ${second}`, "keep one of them");
  }
  if (targetRefs.length > TARGETS_MAX) {
    report.bad("targetRefs", `targetRefs has ${targetRefs.length} items, at most ${TARGETS_MAX}`);
  }
  if (targetRef) checkTarget(targetRef, report.in("targetRef"));
  for (const [index, each] of targetRefs.entries()) {
    checkTarget(each, report.in(`targetRefs[${index}]`));
  }
}

function checkTarget(
  { group, kind, name, namespace }: PolicyTargetReference,
  report: Report,
): void {
  if (name === "") report.missing("name", "target has no name");
  if (kind === "") report.missing("kind", "target has no kind");
  else if (!TARGETS.includes(`${group}/${kind}`)) {
    const help = "it is a Service, a ServiceEntry, or a Gateway of the Gateway API";
    report.bad(
      "kind",
      `nothing can be attached to ${kind} of group ${JSON.stringify(group)}`,
      help,
    );
  }
  if (namespace !== "") {
    report.bad(
      "namespace",
      `target is in namespace ${namespace}`,
      "targets are in the own namespace",
    );
  }
}

function checkEnvironment({ env }: VmConfig, report: Report): void {
  for (const [index, { name, value, valueFrom }] of env.entries()) {
    const at = report.in(`env[${index}]`);
    if (name === "") at.missing("name", "variable has no name");
    if (name.length > NAME_LENGTH_MAX) {
      at.bad("name", `name is longer than ${NAME_LENGTH_MAX} characters`);
    }
    if (value.length > ENV_VALUE_LENGTH_MAX) {
      at.bad("value", `value of ${name} is longer than ${ENV_VALUE_LENGTH_MAX} characters`);
    }
    if (valueFrom === EnvValueSource.HOST && value !== "") {
      const message = `variable ${name} takes its value from the host`;
      at.conflict("value", message, "remove value, or set valueFrom: INLINE");
    }
  }
  checkUnique(env, ({ name }) => name || undefined, {
    report,
    field: (index) => `env[${index}].name`,
    what: "variable",
  });
}
