import {
  type Server,
  type ServerTlsSettings,
  ServerTlsSettings_TlsMode as TlsMode,
  ServerTlsSettings_TlsModeSchema as TlsModeSchema,
  ServerTlsSettings_TlsProtocol as TlsProtocol,
  ServerTlsSettings_TlsProtocolSchema as TlsProtocolSchema,
} from "@weft/proto/weft/mesh/v1/gateway_pb.ts";
import type { Report } from "./finding.ts";
import { checkUnique, enumName } from "./limits.ts";
import { protocolClass } from "./protocol.ts";
import { didYouMean } from "./suggest.ts";

/** Cipher suites up to TLS 1.2 that Envoy's BoringSSL knows; it refuses a context with others. */
const CIPHER_SUITES: ReadonlySet<string> = new Set([
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-ECDSA-AES128-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-PSK-AES128-CBC-SHA",
  "ECDHE-PSK-AES256-CBC-SHA",
  "ECDHE-PSK-CHACHA20-POLY1305",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
  "DES-CBC3-SHA",
]);

/** Files and names that make up a server's certificate. */
const SOURCES = ["serverCertificate", "privateKey", "caCertificates", "credentialName"] as const;

/** Reports where a server's TLS does not fit its protocol or is incomplete. */
export function validateServerTls({ port, tls }: Server, report: Report): void {
  const speaks = protocolClass(port?.protocol ?? "");
  if (tls === undefined) {
    if (speaks !== "tls") return;
    const help = "give it tls.mode and, to terminate TLS, tls.credentialName";
    report.missing(
      "tls",
      `server on port ${port?.number} speaks ${port?.protocol} without tls`,
      help,
    );
    return;
  }
  const at = report.in("tls");
  if (speaks === "http") checkPlain(tls, at, port?.protocol ?? "HTTP");
  else checkCertificates(tls, at);
  checkVersions(tls, at);
  checkUnique(tls.cipherSuites, (suite) => suite, {
    report: at,
    field: (index) => `cipherSuites[${index}]`,
    what: "cipher suite",
  });
  for (const [index, suite] of tls.cipherSuites.entries()) {
    if (CIPHER_SUITES.has(suite)) continue;
    const help = didYouMean(suite, CIPHER_SUITES);
    at.bad(`cipherSuites[${index}]`, `cipher suite ${suite} is unknown to Envoy`, help);
  }
}

/** Plain HTTP can only be sent on to HTTPS. */
function checkPlain(tls: ServerTlsSettings, report: Report, protocol: string): void {
  for (const field of SOURCES) {
    if (tls[field] === "") continue;
    report.conflict(field, `a port that speaks ${protocol} has no use for ${field}`);
  }
  if (tls.mode === TlsMode.PASSTHROUGH) return;
  report.conflict("mode", `a port that speaks ${protocol} has no TLS mode`);
}

function checkCertificates(tls: ServerTlsSettings, report: Report): void {
  const named = tls.credentialName !== "" || tls.credentialNames.length > 0;
  const mode = enumName(TlsModeSchema, tls.mode);
  switch (tls.mode) {
    case TlsMode.PASSTHROUGH:
    case TlsMode.AUTO_PASSTHROUGH:
      return;
    case TlsMode.ISTIO_MUTUAL:
      for (const field of SOURCES) {
        if (tls[field] === "") continue;
        const help = `remove ${field}: the mesh brings its own certificates`;
        report.conflict(field, `tls mode ${mode} does not take ${field}`, help);
      }
      return;
    case TlsMode.SIMPLE:
    case TlsMode.MUTUAL:
    case TlsMode.OPTIONAL_MUTUAL:
      break;
    default:
      return;
  }
  if (tls.credentialName !== "" && tls.credentialNames.length > 0) {
    report.conflict("credentialNames", "tls has both credentialName and credentialNames");
  }
  if (named) return;
  const needed = ["serverCertificate", "privateKey"] as const;
  for (const field of tls.tlsCertificates.length > 0 ? [] : needed) {
    if (tls[field] !== "") continue;
    report.missing(field, `tls mode ${mode} has no ${field}`, "or give it credentialName");
  }
  for (const [index, certificate] of tls.tlsCertificates.entries()) {
    for (const field of needed) {
      if (certificate[field] !== "") continue;
      report.in(`tlsCertificates[${index}]`).missing(field, `certificate has no ${field}`);
    }
  }
  const verifies = tls.caCertificates !== "" || tls.caCertCredentialName !== "";
  const certificates = tls.tlsCertificates.some(({ caCertificates }) => caCertificates !== "");
  if (tls.mode !== TlsMode.SIMPLE && !verifies && !certificates) {
    report.missing("caCertificates", `tls mode ${mode} has no caCertificates to verify clients`);
  }
}

function checkVersions(tls: ServerTlsSettings, report: Report): void {
  const { minProtocolVersion: min, maxProtocolVersion: max } = tls;
  if (max === TlsProtocol.TLS_AUTO || min <= max) return;
  const [least, most] = [enumName(TlsProtocolSchema, min), enumName(TlsProtocolSchema, max)];
  report.conflict("maxProtocolVersion", `no version is at least ${least} and at most ${most}`);
}
