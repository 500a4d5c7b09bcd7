/** Names that tools and dashboards match on (istio-api: names and structure). */

/** The RDS resource and listener of the outbound HTTP proxy. */
export const HTTP_PROXY = "http_proxy";
export const BLACK_HOLE_CLUSTER = "BlackHoleCluster";
export const PASSTHROUGH_CLUSTER = "PassthroughCluster";
/** Where requests for unknown hosts go under ALLOW_ANY: resolved by their own Host header. */
export const DYNAMIC_DNS_CLUSTER = "AllowAnyDynamicDNSCluster";

export interface ClusterKey {
  readonly host: string;
  readonly port: number;
  readonly subset?: string;
}

/** `outbound|80|v1|reviews.default.svc.cluster.local` */
export function outboundCluster({ host, port, subset = "" }: ClusterKey): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** `outbound_.80_.v1_.reviews.default.svc.cluster.local`: the name a sidecar asks for in TLS. */
export function outboundSni({ host, port, subset = "" }: ClusterKey): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

/** `inbound|8080||` */
export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

/** Where a resource of Istio's lives in Kubernetes' API: what tools show as its source. */
export function configPath(kind: string, namespace: string, name: string): string {
  return `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
}
