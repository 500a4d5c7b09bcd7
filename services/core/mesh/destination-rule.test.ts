import { expect, test } from "vitest";
import { readManifests } from "./manifest.ts";

function told(spec: string): string[] {
  const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: ${spec}
`;
  const { findings } = readManifests([{ path: "a.yaml", text }], { namespace: "default" });
  return findings.map(({ code, field, message }) => {
    return `${code.replace("manifest.", "")} ${field.replace("spec.", "")}: ${message}`;
  });
}

function toldOfPolicy(policy: string): string[] {
  return told(`{ host: reviews, trafficPolicy: { ${policy} } }`).map((finding) => {
    return finding.replace("trafficPolicy.", "");
  });
}

test.each([
  "{ host: reviews }",
  '{ host: "*.example.com", subsets: [{ name: v1, labels: { version: v1 } }, { name: v2 }] }',
  "{ host: a, trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: " +
    "true, maglev: { tableSize: 65537 } } } } }",
  "{ host: a, trafficPolicy: { connectionPool: { tcp: { idleTimeout: 0s, " +
    "connectTimeout: 30ms } } } }",
  "{ host: a, trafficPolicy: { tls: { mode: MUTUAL, credentialName: client } } }",
  "{ host: a, trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { " +
    "mode: SIMPLE } }] } }",
])("%s is accepted", (spec) => {
  expect(told(spec)).toEqual([]);
});

test.each([
  ["{}", "missing_field host: DestinationRule has no host"],
  [
    "{ host: a, subsets: [{ name: v1 }, { name: v1 }] }",
    "repeated_value subsets[1].name: subset v1 is there twice",
  ],
  [
    "{ host: a, subsets: [{ name: v.1 }, { labels: { a: b } }] }",
    'bad_value subsets[0].name: subset "v.1" is no DNS label',
    "missing_field subsets[1].name: subset has no name",
  ],
  [
    "{ host: a, subsets: [{ name: v1, labels: { version: v* } }] }",
    'bad_value subsets[0].labels["version"]: ' +
      'label version: "v*" has a wildcard, which labels do not match by',
  ],
  ["{ host: a, trafficPolicy: {} }", "missing_field trafficPolicy: trafficPolicy says nothing"],
])("%s is refused", (spec, ...findings) => {
  expect(told(spec)).toEqual(findings);
});

test.each([
  [
    "loadBalancer: { consistentHash: {} }",
    "missing_field loadBalancer.consistentHash: consistentHash has nothing to hash",
  ],
  [
    "loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 65536 } } }",
    "bad_value loadBalancer.consistentHash.maglev.tableSize: tableSize 65536 is not prime",
  ],
  [
    "loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 5000077 } } }",
    "bad_value loadBalancer.consistentHash.maglev.tableSize: " +
      "tableSize 5000077 is not within 0 to 5000011",
  ],
  [
    "loadBalancer: { consistentHash: { useSourceIp: true, ringHash: { " +
      "minimumRingSize: 8388609 } } }",
    "bad_value loadBalancer.consistentHash.ringHash.minimumRingSize: " +
      "minimumRingSize 8388609 is not within 0 to 8388608",
  ],
  [
    "loadBalancer: { consistentHash: { httpCookie: { ttl: 0s } } }",
    "missing_field loadBalancer.consistentHash.httpCookie.name: httpCookie has no name",
  ],
  [
    "loadBalancer: { warmup: { aggression: -0.1 } }",
    "missing_field loadBalancer.warmup.duration: warmup has no duration",
    "bad_value loadBalancer.warmup.aggression: aggression -0.1 is below 1",
  ],
  [
    "loadBalancer: { localityLbSetting: { distribute: [{ from: a, to: { b: 50, c: 40 } }] } }",
    "bad_value loadBalancer.localityLbSetting.distribute[0].to: " +
      "the weights from a add up to 90, not to 100",
  ],
  [
    "loadBalancer: { localityLbSetting: { failover: [{ from: a, to: a }] } }",
    "bad_value loadBalancer.localityLbSetting.failover[0].to: region a cannot fail over to itself",
  ],
  ["connectionPool: {}", "missing_field connectionPool: connectionPool has neither tcp nor http"],
  [
    "connectionPool: { tcp: { maxConnections: -1, connectTimeout: 0s, tcpKeepalive: " +
      "{ time: 0.5s } } }",
    "bad_value connectionPool.tcp.maxConnections: maxConnections -1 is negative",
    "bad_value connectionPool.tcp.connectTimeout: connectTimeout 0s is below 1ms",
    "bad_value connectionPool.tcp.tcpKeepalive.time: time is below 1s",
  ],
  [
    "connectionPool: { http: { h2UpgradePolicy: UPGRADE, useClientProtocol: true } }",
    "conflicting_fields connectionPool.http.useClientProtocol: " +
      "useClientProtocol keeps HTTP/1.1 where h2UpgradePolicy UPGRADE changes it",
  ],
  [
    "outlierDetection: { interval: 0s, maxEjectionPercent: 101, minHealthPercent: -1 }",
    "bad_value outlierDetection.interval: interval 0s is below 1ms",
    "bad_value outlierDetection.maxEjectionPercent: maxEjectionPercent 101 is not within 0 to 100",
    "bad_value outlierDetection.minHealthPercent: minHealthPercent -1 is negative",
  ],
  [
    "outlierDetection: { consecutiveLocalOriginFailures: 3 }",
    "conflicting_fields outlierDetection.consecutiveLocalOriginFailures: " +
      "consecutiveLocalOriginFailures counts nothing by itself",
  ],
  [
    "tls: { mode: MUTUAL }",
    "missing_field tls.clientCertificate: tls mode MUTUAL has no clientCertificate",
    "missing_field tls.privateKey: tls mode MUTUAL has no privateKey",
  ],
  [
    "tls: { mode: ISTIO_MUTUAL, caCertificates: /a.pem }",
    "conflicting_fields tls.caCertificates: tls mode ISTIO_MUTUAL does not take caCertificates",
  ],
  [
    "tls: { mode: SIMPLE, credentialName: a, caCertificates: /a.pem }",
    "conflicting_fields tls.caCertificates: tls has both credentialName and caCertificates",
  ],
  [
    "portLevelSettings: [{ port: { number: 0 } }, { tls: {} }]",
    "bad_value portLevelSettings[0].port.number: port 0 is not within 1 to 65535",
    "missing_field portLevelSettings[1].port.number: port has no number",
  ],
  [
    "tunnel: { protocol: PUT, targetPort: 443 }",
    'bad_value tunnel.protocol: protocol "PUT" is neither CONNECT nor POST',
    "missing_field tunnel.targetHost: tunnel has no targetHost",
  ],
  [
    "retryBudget: { percent: 120 }",
    "bad_value retryBudget.percent: percent 120 is not within 0 to 100",
  ],
])("a traffic policy with %s is refused", (policy, ...findings) => {
  expect(toldOfPolicy(policy)).toEqual(findings);
});
