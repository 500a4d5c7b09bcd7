import {
  type ClientTlsSettings,
  type ConnectionPoolSettings,
  ConnectionPoolSettings_HttpSettings_H2UpgradePolicy as H2UpgradePolicy,
  type OutlierDetection,
  type TrafficPolicy_PortTrafficPolicy as PortTrafficPolicy,
  ClientTlsSettings_TlsMode as TlsMode,
  type TrafficPolicy,
  type TrafficPolicy_TunnelSettings as TunnelSettings,
} from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import type { Report } from "./finding.ts";
import {
  checkDuration,
  checkHost,
  checkNotNegative,
  checkPercent,
  checkPort,
  checkRange,
  checkUnique,
} from "./limits.ts";
import { validateLoadBalancer } from "./load-balancer.ts";

/** Reports what is wrong with a traffic policy, of a host or of one of its subsets. */
export function validateTrafficPolicy(policy: TrafficPolicy, report: Report): void {
  const { portLevelSettings, tunnel, proxyProtocol, retryBudget } = policy;
  const given = [policy.loadBalancer, policy.connectionPool, policy.outlierDetection, policy.tls];
  const others = [tunnel, proxyProtocol, retryBudget].some((each) => each !== undefined);
  if (!others && portLevelSettings.length === 0 && given.every((each) => each === undefined)) {
    report.missing("", "trafficPolicy says nothing");
  }
  checkSettings(policy, report);
  for (const [index, settings] of portLevelSettings.entries()) {
    const at = report.in(`portLevelSettings[${index}]`);
    checkPort(settings.port?.number, { report: at, field: "port.number" });
    checkSettings(settings, at);
  }
  checkUnique(portLevelSettings, ({ port }) => port && String(port.number), {
    report,
    field: (index) => `portLevelSettings[${index}].port.number`,
    what: "port",
  });
  if (tunnel) validateTunnel(tunnel, report.in("tunnel"));
  if (retryBudget) {
    checkPercent(retryBudget.percent, { report, field: "retryBudget.percent" });
    checkDuration(retryBudget.budgetInterval, { report, field: "retryBudget.budgetInterval" });
  }
}

function checkSettings(policy: TrafficPolicy | PortTrafficPolicy, report: Report): void {
  if (policy.loadBalancer) validateLoadBalancer(policy.loadBalancer, report.in("loadBalancer"));
  if (policy.connectionPool) validatePool(policy.connectionPool, report.in("connectionPool"));
  if (policy.outlierDetection) {
    validateOutlierDetection(policy.outlierDetection, report.in("outlierDetection"));
  }
  if (policy.tls) validateClientTls(policy.tls, report.in("tls"));
}

function validatePool({ tcp, http }: ConnectionPoolSettings, report: Report): void {
  if (tcp === undefined && http === undefined) {
    report.missing("", "connectionPool has neither tcp nor http");
  }
  if (tcp) validateTcpPool(tcp, report.in("tcp"));
  if (http) validateHttpPool(http, report.in("http"));
}

function validateTcpPool(tcp: NonNullable<ConnectionPoolSettings["tcp"]>, report: Report): void {
  checkNotNegative(tcp.maxConnections, { report, field: "maxConnections" });
  checkDuration(tcp.connectTimeout, { report, field: "connectTimeout" });
  checkDuration(tcp.maxConnectionDuration, { report, field: "maxConnectionDuration" });
  checkDuration(tcp.idleTimeout, { report, field: "idleTimeout", zero: true });
  for (const field of ["time", "interval"] as const) {
    const duration = tcp.tcpKeepalive?.[field];
    // The kernel counts keepalives in seconds.
    if (duration !== undefined && duration.seconds < 1n) {
      report.bad(`tcpKeepalive.${field}`, `${field} is below 1s`);
    }
  }
}

const HTTP_LIMITS = [
  "http1MaxPendingRequests",
  "http2MaxRequests",
  "maxRequestsPerConnection",
  "maxRetries",
  "maxConcurrentStreams",
] as const;

function validateHttpPool(http: NonNullable<ConnectionPoolSettings["http"]>, report: Report): void {
  for (const field of HTTP_LIMITS) checkNotNegative(http[field], { report, field });
  checkDuration(http.idleTimeout, { report, field: "idleTimeout" });
  checkDuration(http.http2KeepAlive?.interval, { report, field: "http2KeepAlive.interval" });
  checkDuration(http.http2KeepAlive?.timeout, { report, field: "http2KeepAlive.timeout" });
  if (http.useClientProtocol && http.h2UpgradePolicy === H2UpgradePolicy.UPGRADE) {
    const message = "useClientProtocol keeps HTTP/1.1 where h2UpgradePolicy UPGRADE changes it";
    report.conflict("useClientProtocol", message);
  }
}

function validateOutlierDetection(detection: OutlierDetection, report: Report): void {
  checkNotNegative(detection.consecutiveErrors, { report, field: "consecutiveErrors" });
  checkDuration(detection.interval, { report, field: "interval" });
  checkDuration(detection.baseEjectionTime, { report, field: "baseEjectionTime" });
  checkPercent(detection.maxEjectionPercent, { report, field: "maxEjectionPercent" });
  checkPercent(detection.minHealthPercent, { report, field: "minHealthPercent" });
  for (const [index, code] of detection.outlierDetectionHttpErrorCodes.entries()) {
    const field = `outlierDetectionHttpErrorCodes[${index}]`;
    checkRange(code, [100, 599], { report, field });
  }
  const localFailures = detection.consecutiveLocalOriginFailures ?? 0;
  if (localFailures > 0 && !detection.splitExternalLocalOriginErrors) {
    const message = "consecutiveLocalOriginFailures counts nothing by itself";
    const help = "set splitExternalLocalOriginErrors: true";
    report.conflict("consecutiveLocalOriginFailures", message, help);
  }
}

const FILES = ["clientCertificate", "privateKey", "caCertificates", "caCrl"] as const;

function validateClientTls(tls: ClientTlsSettings, report: Report): void {
  const files = FILES.filter((field) => tls[field] !== "");
  const own = tls.mode === TlsMode.SIMPLE || tls.mode === TlsMode.MUTUAL;
  const [file] = files;
  if (own && tls.credentialName !== "" && file !== undefined) {
    report.conflict(file, `tls has both credentialName and ${file}`, "keep one of them");
  }
  if (tls.mode === TlsMode.MUTUAL && tls.credentialName === "") {
    for (const field of ["clientCertificate", "privateKey"] as const) {
      if (tls[field] === "") report.missing(field, `tls mode MUTUAL has no ${field}`);
    }
  }
  if (tls.mode === TlsMode.ISTIO_MUTUAL) {
    for (const field of [...files, ...(tls.credentialName === "" ? [] : ["credentialName"])]) {
      const help = `remove ${field}: the mesh brings its own certificates`;
      report.conflict(field, `tls mode ISTIO_MUTUAL does not take ${field}`, help);
    }
  }
  if (tls.insecureSkipVerify && (tls.subjectAltNames.length > 0 || tls.caCertificates !== "")) {
    const message = "insecureSkipVerify leaves nothing to check names or authorities for";
    report.conflict("insecureSkipVerify", message);
  }
}

function validateTunnel(tunnel: TunnelSettings, report: Report): void {
  if (!["", "CONNECT", "POST"].includes(tunnel.protocol)) {
    const protocol = JSON.stringify(tunnel.protocol);
    report.bad("protocol", `protocol ${protocol} is neither CONNECT nor POST`);
  }
  if (tunnel.targetHost === "") report.missing("targetHost", "tunnel has no targetHost");
  else checkHost(tunnel.targetHost, { report, field: "targetHost", wildcard: false });
  checkPort(tunnel.targetPort, { report, field: "targetPort" });
}
