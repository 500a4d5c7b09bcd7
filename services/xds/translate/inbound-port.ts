import { endpointPort, isPort, labelsMatch, type Protocol, servicesOf } from "@weft/core/mesh";
import { isIp, parseEndpoint } from "./address.ts";
import { httpProxyAddress } from "./outbound.ts";
import type { Scope } from "./scope.ts";

/** A port that the proxy opens for the application beside it. */
export interface InboundPort {
  readonly port: number;
  /** The application: `127.0.0.1:8080`. */
  readonly endpoint: string;
  readonly protocol: Protocol;
  /** Name of the service that has it, else the proxy's address: what tracing shows. */
  readonly service: string;
}

/**
 * The ports as the proxy describes itself, else those at which services of its namespace reach it:
 * by an endpoint with its address, or by a workload selector with its labels. Nothing is opened
 * where the proxy or its application would call the proxy itself.
 */
export function inboundPorts(scope: Scope): readonly InboundPort[] {
  const { proxy } = scope;
  if (!isIp(proxy.ip)) return [];
  const known = servicePorts(scope);
  const ports = proxy.inbound?.map(({ port, endpoint }) => ({
    port,
    endpoint,
    protocol: known.get(port)?.protocol ?? ("AUTO" as const),
    service: known.get(port)?.service ?? proxy.ip,
  })) ?? [...known.values()];
  const unique = new Map(ports.map((each) => [each.port, each]));
  return [...unique.values()].filter((each) => isSafe(scope, each)).sort((a, b) => a.port - b.port);
}

function servicePorts({ mesh, proxy }: Scope): ReadonlyMap<number, InboundPort> {
  const found = new Map<number, InboundPort>();
  for (const service of servicesOf(mesh)) {
    if (service.namespace !== proxy.namespace) continue;
    const selected =
      service.workloadSelector !== undefined && labelsMatch(service.workloadSelector, proxy.labels);
    const own = service.endpoints.find(({ address }) => address === proxy.ip);
    if (own === undefined && !selected) continue;
    for (const servicePort of service.ports) {
      if (servicePort.protocol === "UDP") continue;
      const port = own === undefined ? servicePort.targetPort : endpointPort(own, servicePort);
      // Of several services at one port the oldest says what it speaks.
      if (found.has(port)) continue;
      const { protocol } = servicePort;
      found.set(port, { port, endpoint: `127.0.0.1:${port}`, protocol, service: service.hostname });
    }
  }
  return found;
}

function isSafe(scope: Scope, { port, endpoint }: InboundPort): boolean {
  const { ip } = scope.proxy;
  const target = parseEndpoint(endpoint);
  if (target === undefined || !isPort(port)) return false;
  const outbound = httpProxyAddress(scope);
  if (outbound.host === ip && outbound.port === port) return false;
  return !(target.host === ip && target.port === port);
}
