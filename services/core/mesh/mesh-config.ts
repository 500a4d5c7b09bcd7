import {
  MeshConfig_AccessLogEncoding as Encoding,
  type MeshConfig,
} from "@weft/proto/weft/mesh/v1/mesh_config_pb.ts";
import type { Report } from "./finding.ts";
import { checkDuration, checkExportTo, checkRange } from "./limits.ts";
import { checkJsonLogFormat, checkLogFormat } from "./log-format.ts";
import { isDnsLabel } from "./names.ts";
import { validateRetry } from "./retry.ts";

/** A trust domain as SPIFFE writes it (SPIFFE-ID, section 2.1). */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;

/** Reports what is wrong with the configuration of the whole mesh (istio-api.md, 1.14). */
export function validateMeshConfig(spec: MeshConfig, report: Report): void {
  for (const field of ["proxyHttpPort", "proxyListenPort", "proxyInboundListenPort"] as const) {
    checkRange(spec[field], [0, 65_535], { report, field });
  }
  checkDuration(spec.connectTimeout, { report, field: "connectTimeout" });
  checkDuration(spec.dnsRefreshRate, { report, field: "dnsRefreshRate" });
  checkDuration(spec.protocolDetectionTimeout, {
    report,
    field: "protocolDetectionTimeout",
    zero: true,
  });
  if (spec.trustDomain !== "" && !TRUST_DOMAIN.test(spec.trustDomain)) {
    report.bad("trustDomain", `${JSON.stringify(spec.trustDomain)} is no trust domain`);
  }
  for (const [index, alias] of spec.trustDomainAliases.entries()) {
    if (TRUST_DOMAIN.test(alias)) continue;
    report.bad(`trustDomainAliases[${index}]`, `${JSON.stringify(alias)} is no trust domain`);
  }
  if (spec.rootNamespace !== "" && !isDnsLabel(spec.rootNamespace)) {
    report.bad("rootNamespace", `${JSON.stringify(spec.rootNamespace)} is no namespace`);
  }
  if (spec.defaultHttpRetryPolicy) {
    validateRetry(spec.defaultHttpRetryPolicy, report.in("defaultHttpRetryPolicy"));
  }
  checkAccessLogFormat(spec, report);
  for (const field of [
    "defaultServiceExportTo",
    "defaultVirtualServiceExportTo",
    "defaultDestinationRuleExportTo",
  ] as const) {
    checkExportTo(spec[field], report, field);
  }
}

function checkAccessLogFormat(spec: MeshConfig, report: Report): void {
  const { accessLogEncoding, accessLogFormat } = spec;
  const field = "accessLogFormat";
  if (accessLogFormat === "") return;
  if (accessLogEncoding !== Encoding.JSON) {
    checkLogFormat(accessLogFormat, { report, field });
    return;
  }
  const object = readJsonObject(accessLogFormat);
  if (object === undefined) {
    const help = "write an object of keys and formats, or remove accessLogFormat";
    report.bad(field, "accessLogFormat is no JSON object", help);
    return;
  }
  checkJsonLogFormat(object, { report, field });
}

function readJsonObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
