import type { Service } from "@weft/core/mesh";
import type { ClusterSchema } from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { ClientTlsSettings_TlsMode as TlsMode } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import type { Destination } from "./destination.ts";
import type { PortPolicy } from "./destination-rule.ts";
import { type UpstreamHttp, upstreamHttpOf } from "./http-protocol.ts";
import type { Init } from "./init.ts";
import { outboundSni } from "./name.ts";
import type { Scope } from "./scope.ts";
import { clientTls, meshClientTls, rawBuffer, type TransportSocketInit } from "./tls.ts";

type Security = Pick<Init<typeof ClusterSchema>, "transportSocket" | "transportSocketMatches">;

/**
 * How connections to a destination are secured: as its DestinationRule says, else mTLS to every
 * endpoint that takes it and plaintext to the others (auto-mTLS).
 */
export function upstreamSecurity(
  scope: Scope,
  destination: Destination,
  policy: PortPolicy,
): Security {
  const { service, port } = destination;
  const http = upstreamHttpOf(port.protocol, policy);
  if (policy.tls === undefined) {
    const isEligible = scope.settings.autoMtls && service.location === "MESH_INTERNAL";
    // Only the endpoints of a static service carry the word whether they take mTLS.
    if (!isEligible || service.resolution === "NONE" || service.resolution === "DYNAMIC_DNS") {
      return {};
    }
    return {
      transportSocketMatches: [
        {
          name: "tlsMode-istio",
          match: { tlsMode: "istio" },
          transportSocket: meshSocket(scope, destination, policy),
        },
        { name: "tlsMode-disabled", match: {}, transportSocket: rawBuffer },
      ],
    };
  }
  switch (policy.tls.mode) {
    case TlsMode.ISTIO_MUTUAL:
      return { transportSocket: meshSocket(scope, destination, policy) };
    case TlsMode.SIMPLE:
    case TlsMode.MUTUAL:
      return { transportSocket: clientTls(policy.tls, http === "http2" ? ["h2"] : []) };
    default:
      return {};
  }
}

function meshSocket(
  scope: Scope,
  { service, port, subset }: Destination,
  policy: PortPolicy,
): TransportSocketInit {
  const asked = policy.tls?.subjectAltNames ?? [];
  const key = { host: service.hostname, port: port.number, subset: subset?.name ?? "" };
  return meshClientTls({
    sni: policy.tls?.sni || outboundSni(key),
    alpn: MESH_ALPN[upstreamHttpOf(port.protocol, policy)],
    names: asked.length > 0 ? [...asked].sort() : identitiesOf(scope, service),
  });
}

/**
 * What inbound ports tell HTTP from TCP by, since stock Envoy cannot choose it per request. A
 * cluster that follows its client's protocol offers no HTTP version: the server then looks at the
 * first bytes.
 */
const MESH_ALPN: Readonly<Record<UpstreamHttp, readonly string[]>> = {
  http1: ["istio-http/1.1", "istio", "http/1.1"],
  http2: ["istio-h2", "istio", "h2"],
  downstream: ["istio-http/1.1", "istio"],
  none: ["istio"],
};

/** The SPIFFE ids that may answer for a service; empty where none is known: then any may. */
function identitiesOf(scope: Scope, service: Service): readonly string[] {
  const accounts = service.endpoints.flatMap(({ serviceAccount, namespace }) => {
    if (serviceAccount === "") return [];
    if (serviceAccount.startsWith("spiffe://")) return [serviceAccount];
    return scope.settings.trustDomains.map(
      (domain) => `spiffe://${domain}/ns/${namespace}/sa/${serviceAccount}`,
    );
  });
  return [...new Set([...service.subjectAltNames, ...accounts])].sort();
}
