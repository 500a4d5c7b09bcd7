import type { Protocol, Service, ServicePort } from "@weft/core/mesh";
import type { Subset } from "@weft/proto/weft/mesh/v1/destination_rule_pb.ts";
import type { DestinationPolicy } from "./destination-rule.ts";
import type { Scope } from "./scope.ts";

/** One port of a service, or one subset at it: what one cluster is made of. */
export interface Destination {
  readonly service: Service;
  readonly port: ServicePort;
  readonly policy: DestinationPolicy | undefined;
  readonly subset: Subset | undefined;
}

/** Everything the proxy may send to, in the order of its services. */
export function* destinationsOf(scope: Scope): Generator<Destination> {
  for (const service of scope.services.values()) {
    const policy = scope.destinationRules(service);
    for (const port of service.ports) {
      if (port.protocol === "UDP") continue;
      yield { service, port, policy, subset: undefined };
      for (const subset of policy?.subsets ?? []) yield { service, port, policy, subset };
    }
  }
}

/** Whether requests to a port can be routed one by one. What is not declared may well be HTTP. */
export function isHttp(protocol: Protocol): boolean {
  switch (protocol) {
    case "HTTP":
    case "HTTP2":
    case "GRPC":
    case "GRPC-WEB":
    case "AUTO":
      return true;
    case "HTTPS":
    case "TLS":
    case "TCP":
    case "UDP":
    case "MONGO":
    case "MYSQL":
    case "REDIS":
      return false;
  }
}
