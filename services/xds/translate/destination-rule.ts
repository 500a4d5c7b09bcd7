import {
  type Proxy as EnvoyProxy,
  hostMatches,
  isVisible,
  labelsMatch,
  type Mesh,
  type Resource,
  resourcesOf,
  type Service,
} from "@weft/core/mesh";
import type { Subset } from "@weft/proto/weft/mesh/v1/destination_rule_pb.ts";
import type { TrafficPolicy } from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import { resolveHost } from "./host.ts";
import type { MeshSettings } from "./mesh-settings.ts";

/** What holds for traffic to one service: the DestinationRules of its host, merged. */
export interface DestinationPolicy {
  /** The rule that gave the policy its name: the oldest. */
  readonly namespace: string;
  readonly name: string;
  readonly trafficPolicy: TrafficPolicy | undefined;
  readonly subsets: readonly Subset[];
}

/** The policy for a service as one proxy sees it. */
export type DestinationRules = (service: Service) => DestinationPolicy | undefined;

/** The parts of a traffic policy that shape a cluster. */
export type PortPolicy = Pick<
  TrafficPolicy,
  "loadBalancer" | "connectionPool" | "outlierDetection" | "tls"
>;

type Rule = Resource<"DestinationRule">;

/**
 * Looks rules up in the client's namespace, then the service's, then the root namespace; the first
 * that has one for the host wins, exact hosts before wildcards. Rules of one host in one namespace
 * are merged, the oldest first.
 */
export function readDestinationRules(view: {
  readonly mesh: Mesh;
  readonly proxy: EnvoyProxy;
  readonly settings: MeshSettings;
  readonly services: ReadonlyMap<string, Service>;
}): DestinationRules {
  const { mesh, proxy, settings, services } = view;
  const byNamespace = new Map<string, Map<string, Rule[]>>();
  for (const rule of resourcesOf(mesh, "DestinationRule")) {
    const exportTo =
      rule.spec.exportTo.length > 0 ? rule.spec.exportTo : settings.destinationRuleExportTo;
    if (!isVisible(exportTo, rule.namespace, proxy.namespace) || !selects(rule, proxy)) continue;
    const hosts = byNamespace.get(rule.namespace) ?? new Map<string, Rule[]>();
    byNamespace.set(rule.namespace, hosts);
    const host = resolveHost(services, rule.spec.host, rule.namespace);
    hosts.set(host, [...(hosts.get(host) ?? []), rule]);
  }
  const found = new Map<Service, DestinationPolicy | undefined>();
  return (service) => {
    if (found.has(service)) return found.get(service);
    const namespaces = [proxy.namespace, service.namespace, settings.rootNamespace];
    const rules = namespaces
      .map((namespace) => rulesFor(byNamespace.get(namespace), service.hostname))
      .find((each) => each.length > 0);
    const policy = rules === undefined ? undefined : mergeRules(rules);
    found.set(service, policy);
    return policy;
  };
}

/** The policy for one port and subset. What is set for a port replaces the rest, whole. */
export function portPolicy(
  policy: DestinationPolicy | undefined,
  port: number,
  subset?: Subset,
): PortPolicy {
  const base = atPort(policy?.trafficPolicy, port, {});
  return subset === undefined ? base : atPort(subset.trafficPolicy, port, base);
}

function atPort(policy: TrafficPolicy | undefined, port: number, base: PortPolicy): PortPolicy {
  if (policy === undefined) return base;
  const own = policy.portLevelSettings.find((each) => each.port?.number === port);
  if (own !== undefined) return own;
  return {
    loadBalancer: policy.loadBalancer ?? base.loadBalancer,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    outlierDetection: policy.outlierDetection ?? base.outlierDetection,
    tls: policy.tls ?? base.tls,
  };
}

/** Rules with a selector hold for the selected clients of their own namespace only. */
function selects(rule: Rule, proxy: EnvoyProxy): boolean {
  const selector = rule.spec.workloadSelector;
  if (selector === undefined) return true;
  return rule.namespace === proxy.namespace && labelsMatch(selector.matchLabels, proxy.labels);
}

function rulesFor(hosts: ReadonlyMap<string, readonly Rule[]> | undefined, hostname: string) {
  const exact = hosts?.get(hostname);
  if (exact !== undefined) return exact;
  const patterns = [...(hosts?.keys() ?? [])]
    .filter((host) => host.startsWith("*") && hostMatches(host, hostname))
    .sort((a, b) => b.length - a.length);
  return hosts?.get(patterns[0] ?? "") ?? [];
}

function mergeRules(rules: readonly Rule[]): DestinationPolicy | undefined {
  // A rule for chosen clients says more than one for all.
  const ordered = [
    ...rules.filter(({ spec }) => spec.workloadSelector !== undefined),
    ...rules.filter(({ spec }) => spec.workloadSelector === undefined),
  ];
  const [first] = ordered;
  if (first === undefined) return undefined;
  const subsets = new Map<string, Subset>();
  for (const subset of ordered.flatMap(({ spec }) => spec.subsets)) {
    if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  }
  return {
    namespace: first.namespace,
    name: first.name,
    trafficPolicy: ordered.find(({ spec }) => spec.trafficPolicy !== undefined)?.spec.trafficPolicy,
    subsets: [...subsets.values()],
  };
}
