import type { Kind } from "./resource.ts";

/**
 * The fields that translation acts on, by kind: `[]` is any item, `{}` any entry, and `.**` all that
 * is below. Whatever is not listed is stored and answered with a warning.
 */
export const TRANSLATED: { readonly [K in Kind]: readonly string[] } = {
  DestinationRule: [
    "host",
    "subsets[].name",
    "subsets[].labels{}",
    ...trafficPolicy("subsets[].trafficPolicy"),
    ...trafficPolicy("trafficPolicy"),
    "exportTo[]",
    "workloadSelector.**",
  ],
  Gateway: [
    "selector{}",
    "servers[].name",
    "servers[].bind",
    "servers[].hosts[]",
    "servers[].port.number",
    "servers[].port.protocol",
    "servers[].port.name",
    "servers[].tls.httpsRedirect",
  ],
  MeshConfig: [
    "proxyHttpPort",
    "connectTimeout",
    "trustDomainAliases[]",
    "rootNamespace",
    "outboundTrafficPolicy.**",
    "enableAutoMtls",
    "accessLogFile",
    "accessLogFormat",
    "accessLogEncoding",
    "defaultHttpRetryPolicy.**",
    "defaultServiceExportTo[]",
    "defaultVirtualServiceExportTo[]",
    "defaultDestinationRuleExportTo[]",
    "tcpKeepalive.**",
    "dnsRefreshRate",
    "pathNormalization.**",
  ],
  PeerAuthentication: ["selector.**", "mtls.**", "portLevelMtls{}.**"],
  // All of it is made by publishing; the digest is what proxies get.
  Plugin: ["digest", "sizeBytes", "version", "abi", "imports[]"],
  ServiceEntry: [
    "hosts[]",
    "addresses[]",
    "ports[].**",
    "location",
    "resolution",
    ...workloadEntry("endpoints[]."),
    "workloadSelector.**",
    "exportTo[]",
    "subjectAltNames[]",
  ],
  VirtualService: [
    "hosts[]",
    "gateways[]",
    "exportTo[]",
    "http[].name",
    "http[].match[].**",
    "http[].route[].**",
    "http[].redirect.**",
    "http[].directResponse.**",
    "http[].rewrite.**",
    "http[].timeout",
    "http[].retries.**",
    "http[].fault.delay.percent",
    "http[].fault.delay.fixedDelay",
    "http[].fault.delay.percentage.**",
    "http[].fault.abort.httpStatus",
    "http[].fault.abort.grpcStatus",
    "http[].fault.abort.percentage.**",
    "http[].mirror.**",
    "http[].mirrorPercent",
    "http[].mirrorPercentage.**",
    "http[].mirrors[].**",
    "http[].corsPolicy.**",
    "http[].headers.**",
  ],
  WasmPlugin: [
    "selector.**",
    "url",
    "sha256",
    "pluginConfig",
    "pluginName",
    "phase",
    "priority",
    "failStrategy",
    "vmConfig.**",
    "match[].**",
    "type",
  ],
  WorkloadEntry: workloadEntry(""),
};

function trafficPolicy(prefix: string): readonly string[] {
  return [...clusterPolicy(prefix), `${prefix}.portLevelSettings[].port.**`].concat(
    clusterPolicy(`${prefix}.portLevelSettings[]`),
  );
}

/** What of a traffic policy shapes a cluster, for all ports or for one. */
function clusterPolicy(prefix: string): readonly string[] {
  return [
    "loadBalancer.simple",
    "loadBalancer.consistentHash.**",
    "loadBalancer.warmup.**",
    "loadBalancer.warmupDurationSecs",
    "connectionPool.tcp.maxConnections",
    "connectionPool.tcp.connectTimeout",
    "connectionPool.tcp.tcpKeepalive.**",
    "connectionPool.tcp.maxConnectionDuration",
    "connectionPool.http.**",
    "outlierDetection.**",
    "tls.mode",
    "tls.clientCertificate",
    "tls.privateKey",
    "tls.caCertificates",
    "tls.caCrl",
    "tls.subjectAltNames[]",
    "tls.sni",
    "tls.insecureSkipVerify",
  ].map((field) => `${prefix}.${field}`);
}

/** An instance of a workload; its network is not translated: all proxies reach all addresses. */
function workloadEntry(prefix: string): readonly string[] {
  const fields = ["address", "ports{}", "labels{}", "locality", "weight", "serviceAccount"];
  return fields.map((field) => prefix + field);
}
