import type { DestinationRule } from "@weft/proto/weft/mesh/v1/destination_rule_pb.ts";
import type { Destination, VirtualService } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { WasmPlugin } from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import type { Report } from "./finding.ts";
import { MESH_GATEWAY } from "./gateway-name.ts";
import { findResource, type Mesh, resourcesOf } from "./mesh.ts";
import { isWildcard } from "./names.ts";
import { hostMatches, hostnamesOf, servicesOf } from "./service.ts";
import { didYouMean } from "./suggest.ts";
import { storedPluginOf } from "./wasm-plugin.ts";

/** What the resources of a mesh refer to one another by. */
export interface Registry {
  readonly mesh: Mesh;
  /** Whether a service answers to the host, as a resource of the namespace writes it. */
  knows(host: string, namespace: string): boolean;
  /** Names of hosts, for suggestions: whole, and short where the namespace allows it. */
  hostsIn(namespace: string): readonly string[];
  /** Subsets that any DestinationRule defines for the host. */
  subsetsOf(host: string, namespace: string): ReadonlySet<string>;
}

export function createRegistry(mesh: Mesh): Registry {
  const services = servicesOf(mesh);
  const hostnames = new Set(services.map(({ hostname }) => hostname));
  const wildcards = [...hostnames].filter(isWildcard);
  const subsets = new Map<string, Set<string>>();
  for (const { spec, namespace } of resourcesOf(mesh, "DestinationRule")) {
    for (const hostname of hostnamesOf(spec.host, namespace)) {
      const names = subsets.get(hostname) ?? new Set();
      for (const { name } of spec.subsets) names.add(name);
      subsets.set(hostname, names);
    }
  }
  return {
    mesh,
    knows: (host, namespace) =>
      hostnamesOf(host, namespace).some((hostname) => {
        if (hostnames.has(hostname)) return true;
        // A rule for a wildcard is about each service below it.
        if (isWildcard(hostname)) return [...hostnames].some((each) => hostMatches(hostname, each));
        return wildcards.some((wildcard) => hostMatches(wildcard, hostname));
      }),
    hostsIn: (namespace) =>
      services.flatMap((service) => {
        const { hostname } = service;
        const [short = ""] = hostname.split(".");
        return hostnamesOf(short, namespace)[0] === hostname ? [short, hostname] : [hostname];
      }),
    subsetsOf(host, namespace) {
      const found = new Set<string>();
      for (const hostname of hostnamesOf(host, namespace)) {
        for (const name of subsets.get(hostname) ?? []) found.add(name);
      }
      return found;
    },
  };
}

/** What a reference is checked for. */
export interface ReferenceCheck {
  readonly namespace: string;
  readonly registry: Registry;
  readonly report: Report;
}

/** Warns of hosts, subsets, gateways and delegates that are not there. */
export function checkVirtualServiceReferences(spec: VirtualService, check: ReferenceCheck): void {
  checkGateways(spec.gateways, check, check.report);
  for (const [index, route] of spec.http.entries()) {
    const at = check.report.in(`http[${index}]`);
    for (const [position, { gateways }] of route.match.entries()) {
      checkGateways(gateways, check, at.in(`match[${position}]`));
    }
    for (const [position, { destination }] of route.route.entries()) {
      checkDestination(destination, check, at.in(`route[${position}].destination`));
    }
    checkDestination(route.mirror, check, at.in("mirror"));
    for (const [position, { destination }] of route.mirrors.entries()) {
      checkDestination(destination, check, at.in(`mirrors[${position}].destination`));
    }
    if (route.delegate) checkDelegate(route.delegate, check, at.in("delegate"));
  }
  for (const protocol of ["tls", "tcp"] as const) {
    for (const [index, { route }] of spec[protocol].entries()) {
      for (const [position, { destination }] of route.entries()) {
        const at = check.report.in(`${protocol}[${index}].route[${position}].destination`);
        checkDestination(destination, check, at);
      }
    }
  }
}

/** Warns if no service has the rule's host. */
export function checkDestinationRuleReferences(
  { host }: DestinationRule,
  { namespace, registry, report }: ReferenceCheck,
): void {
  checkHostKnown(host, { namespace, registry, report });
}

/** A module of Weft's own store has to be there: nothing could be loaded without it. */
export function checkWasmPluginReferences(
  { url }: WasmPlugin,
  { registry, report }: ReferenceCheck,
): void {
  const name = storedPluginOf(url);
  if (name === undefined || findResource(registry.mesh, "Plugin", "", name)) return;
  const help = didYouMean(
    name,
    resourcesOf(registry.mesh, "Plugin").map((plugin) => plugin.name),
  );
  report.error({
    code: "plugin.unknown",
    field: "url",
    message: `plugin ${name} is not in the store`,
    help,
  });
}

function checkDestination(
  destination: Destination | undefined,
  { namespace, registry }: ReferenceCheck,
  report: Report,
): void {
  if (destination === undefined) return;
  const { host, subset } = destination;
  checkHostKnown(host, { namespace, registry, report });
  if (subset === "") return;
  const known = registry.subsetsOf(host, namespace);
  if (known.has(subset)) return;
  report.warning({
    code: "mesh.unknown_subset",
    field: "subset",
    message: `no DestinationRule of ${host} defines subset ${subset}`,
    help: didYouMean(subset, known),
  });
}

function checkHostKnown(host: string, { namespace, registry, report }: ReferenceCheck): void {
  if (registry.knows(host, namespace)) return;
  report.warning({
    code: "mesh.unknown_host",
    field: "host",
    message: `no service answers to host ${host}`,
    help: didYouMean(host, registry.hostsIn(namespace)),
  });
}

function checkGateways(
  names: readonly string[],
  { namespace, registry }: ReferenceCheck,
  report: Report,
): void {
  for (const [index, written] of names.entries()) {
    if (written === MESH_GATEWAY) continue;
    const slash = written.indexOf("/");
    const place = slash < 0 ? "." : written.slice(0, slash);
    const name = written.slice(slash + 1);
    if (findResource(registry.mesh, "Gateway", place === "." ? namespace : place, name)) continue;
    const known = resourcesOf(registry.mesh, "Gateway").map((each) => {
      return each.namespace === namespace ? each.name : `${each.namespace}/${each.name}`;
    });
    report.warning({
      code: "mesh.unknown_gateway",
      field: `gateways[${index}]`,
      message: `there is no Gateway ${written}`,
      help: didYouMean(written, known),
    });
  }
}

function checkDelegate(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  check: ReferenceCheck,
  report: Report,
): void {
  const place = namespace || check.namespace;
  const found = findResource(check.registry.mesh, "VirtualService", place, name);
  if (found !== undefined && found.spec.hosts.length === 0) return;
  const message =
    found === undefined
      ? `there is no VirtualService ${place}/${name}`
      : `VirtualService ${place}/${name} has hosts, and is no delegate`;
  report.warning({ code: "mesh.unknown_delegate", field: "name", message });
}
