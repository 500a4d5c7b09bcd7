import {
  type ServiceEntry,
  ServiceEntry_Location,
  ServiceEntry_Resolution,
} from "@weft/proto/weft/mesh/v1/service_entry_pb.ts";
import type { WorkloadEntry } from "@weft/proto/weft/mesh/v1/workload_entry_pb.ts";
import { type Mesh, resourcesOf } from "./mesh.ts";
import type { Resource } from "./resource.ts";

/** The DNS domain that short names are completed with, as in Kubernetes. */
export const DNS_DOMAIN = "cluster.local";

/** What a port speaks. AUTO: its owner did not say. */
export type Protocol =
  | "HTTP"
  | "HTTP2"
  | "GRPC"
  | "GRPC-WEB"
  | "HTTPS"
  | "TLS"
  | "TCP"
  | "UDP"
  | "MONGO"
  | "MYSQL"
  | "REDIS"
  | "AUTO";

/** How a client finds the addresses behind a service. */
export type Resolution = "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS";

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  readonly protocol: Protocol;
  /** The port of endpoints that do not say another. */
  readonly targetPort: number;
}

/** One instance of a service. */
export interface Endpoint {
  /** IP address, DNS name or `unix://` path. */
  readonly address: string;
  /** Ports that differ from the service's target ports, by port name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  /** At least 1. */
  readonly weight: number;
  /** Empty where unknown. */
  readonly serviceAccount: string;
  readonly network: string;
  /** Whether it takes mTLS. Without a service account and without the label it does not. */
  readonly tlsMode: "istio" | "disabled";
  /** Name of its WorkloadEntry; empty for one that was written inline. */
  readonly workload: string;
  readonly namespace: string;
}

/** A name that requests are sent to, and what stands behind it. */
export interface Service {
  /** Fully qualified, or `*.suffix`. Lower case. */
  readonly hostname: string;
  readonly namespace: string;
  /** Name of the resource that declares it. */
  readonly name: string;
  readonly ports: readonly ServicePort[];
  /** Virtual addresses, plain or CIDR. */
  readonly addresses: readonly string[];
  readonly resolution: Resolution;
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  /** Namespaces that see it: `.`, `*`, `~` or names; never empty. */
  readonly exportTo: readonly string[];
  readonly subjectAltNames: readonly string[];
  readonly endpoints: readonly Endpoint[];
  /** Labels of the workloads of its namespace that are its instances too. */
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
}

const TLS_MODE_LABEL = "security.istio.io/tlsMode";

const registries = new WeakMap<Mesh, readonly Service[]>();

/** Every service of a mesh, the oldest declaration first; computed once per mesh object. */
export function servicesOf(mesh: Mesh): readonly Service[] {
  const known = registries.get(mesh);
  if (known !== undefined) return known;
  const services = readServices(mesh);
  registries.set(mesh, services);
  return services;
}

/**
 * The services that proxies of a namespace see, by hostname: of several declarations of one host
 * that of the own namespace, else the oldest.
 */
export function visibleServices(mesh: Mesh, namespace: string): ReadonlyMap<string, Service> {
  const visible = new Map<string, Service>();
  for (const service of servicesOf(mesh)) {
    if (!isVisible(service.exportTo, service.namespace, namespace)) continue;
    const rival = visible.get(service.hostname);
    const isOwn = service.namespace === namespace && rival?.namespace !== namespace;
    if (rival === undefined || isOwn) visible.set(service.hostname, service);
  }
  return visible;
}

/** Whether something that `owner` exports is seen from `viewer`; both are namespaces. */
export function isVisible(exportTo: readonly string[], owner: string, viewer: string): boolean {
  return exportTo.some((to) => to === "*" || to === viewer || (to === "." && owner === viewer));
}

/**
 * The hostnames that a host in a resource of `namespace` may mean, the likeliest first:
 * `reviews`, `reviews.default` and `reviews.default.svc` are completed as in Kubernetes.
 */
export function hostnamesOf(host: string, namespace: string): readonly string[] {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("*")) return [name];
  const labels = name.split(".");
  if (labels.length === 1) return [`${name}.${namespace}.svc.${DNS_DOMAIN}`, name];
  if (labels.length === 2) return [name, `${name}.svc.${DNS_DOMAIN}`];
  if (labels.length === 3 && labels[2] === "svc") return [`${name}.${DNS_DOMAIN}`, name];
  return [name];
}

/** Whether `host` is covered by `pattern`, a hostname or `*`, `*.suffix`. */
export function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*")) return pattern === host;
  return host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/** The port at which an endpoint serves a port of its service. */
export function endpointPort(endpoint: Endpoint, port: ServicePort): number {
  return endpoint.ports[port.name] ?? port.targetPort;
}

/** Whether every label of `selector` stands in `labels`. */
export function labelsMatch(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function readServices(mesh: Mesh): readonly Service[] {
  const exported = resourcesOf(mesh, "MeshConfig")[0]?.spec.defaultServiceExportTo ?? [];
  const workloads = new Map<string, Resource<"WorkloadEntry">[]>();
  for (const entry of resourcesOf(mesh, "WorkloadEntry")) {
    const group = workloads.get(entry.namespace) ?? [];
    if (group.length === 0) workloads.set(entry.namespace, group);
    group.push(entry);
  }
  const services: Service[] = [];
  const taken = new Set<string>();
  for (const entry of resourcesOf(mesh, "ServiceEntry")) {
    const shape = {
      namespace: entry.namespace,
      name: entry.name,
      ports: readPorts(entry.spec),
      addresses: entry.spec.addresses,
      resolution: RESOLUTIONS[entry.spec.resolution] ?? "NONE",
      location: LOCATIONS[entry.spec.location] ?? "MESH_EXTERNAL",
      exportTo: firstGiven(entry.spec.exportTo, exported, ["*"]),
      subjectAltNames: entry.spec.subjectAltNames,
      endpoints: readEndpoints(entry, workloads.get(entry.namespace) ?? []),
      workloadSelector: entry.spec.workloadSelector?.labels,
    } as const;
    for (const host of entry.spec.hosts) {
      const hostname = host.toLowerCase();
      // Two declarations of one host in one namespace: the older one stands.
      if (taken.has(`${entry.namespace}/${hostname}`)) continue;
      taken.add(`${entry.namespace}/${hostname}`);
      services.push({ hostname, ...shape });
    }
  }
  return services;
}

function readPorts(spec: ServiceEntry): readonly ServicePort[] {
  const ports = new Map<number, ServicePort>();
  for (const { number, name, protocol, targetPort } of spec.ports) {
    if (ports.has(number)) continue;
    ports.set(number, {
      number,
      name,
      protocol: protocolOf(protocol, name),
      targetPort: targetPort === 0 ? number : targetPort,
    });
  }
  return [...ports.values()].sort((a, b) => a.number - b.number);
}

function readEndpoints(
  entry: Resource<"ServiceEntry">,
  workloads: readonly Resource<"WorkloadEntry">[],
): readonly Endpoint[] {
  const { endpoints, workloadSelector } = entry.spec;
  const inline = endpoints.map((each) => readEndpoint(each, entry.namespace, ""));
  if (workloadSelector === undefined) return inline;
  const selected = workloads
    .filter(({ spec }) => labelsMatch(workloadSelector.labels, spec.labels))
    .map(({ spec, name }) => readEndpoint(spec, entry.namespace, name));
  return [...inline, ...selected];
}

function readEndpoint(entry: WorkloadEntry, namespace: string, workload: string): Endpoint {
  const label = entry.labels[TLS_MODE_LABEL];
  const takesMtls = label === undefined ? entry.serviceAccount !== "" : label === "istio";
  return {
    address: entry.address,
    ports: entry.ports,
    labels: entry.labels,
    locality: entry.locality,
    weight: Math.max(entry.weight, 1),
    serviceAccount: entry.serviceAccount,
    network: entry.network,
    tlsMode: takesMtls ? "istio" : "disabled",
    workload,
    namespace,
  };
}

const RESOLUTIONS: Readonly<Record<number, Resolution>> = {
  [ServiceEntry_Resolution.NONE]: "NONE",
  [ServiceEntry_Resolution.STATIC]: "STATIC",
  [ServiceEntry_Resolution.DNS]: "DNS",
  [ServiceEntry_Resolution.DNS_ROUND_ROBIN]: "DNS_ROUND_ROBIN",
  [ServiceEntry_Resolution.DYNAMIC_DNS]: "DYNAMIC_DNS",
};

const LOCATIONS: Readonly<Record<number, Service["location"]>> = {
  [ServiceEntry_Location.MESH_EXTERNAL]: "MESH_EXTERNAL",
  [ServiceEntry_Location.MESH_INTERNAL]: "MESH_INTERNAL",
};

const PROTOCOLS: readonly Protocol[] = [
  "HTTP",
  "HTTP2",
  "GRPC",
  "GRPC-WEB",
  "HTTPS",
  "TLS",
  "TCP",
  "UDP",
  "MONGO",
  "MYSQL",
  "REDIS",
];

/** The protocol as written, else by the name's prefix (`http-web`), else AUTO. */
export function protocolOf(protocol: string, name: string): Protocol {
  const written = PROTOCOLS.find((each) => each === protocol.toUpperCase());
  if (written !== undefined) return written;
  const lower = name.toLowerCase();
  if (lower === "grpc-web" || lower.startsWith("grpc-web-")) return "GRPC-WEB";
  const prefix = lower.split("-")[0]?.toUpperCase();
  return PROTOCOLS.find((each) => each === prefix) ?? "AUTO";
}

function firstGiven<T>(...lists: readonly (readonly T[])[]): readonly T[] {
  return lists.find((list) => list.length > 0) ?? [];
}
