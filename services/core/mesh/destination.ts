import type {
  Destination,
  HttpRouteDestination,
  RouteDestination,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { Report } from "./finding.ts";
import { checkHost, checkNotNegative, checkPort } from "./limits.ts";
import { isDnsLabel } from "./names.ts";

/** Where a rule sends traffic: each destination with its share. */
export function checkDestinations(
  route: readonly (HttpRouteDestination | RouteDestination)[],
  report: Report,
): void {
  let total = 0;
  for (const [index, { destination, weight }] of route.entries()) {
    const at = report.in(`route[${index}]`);
    checkDestination(destination, at, "destination");
    checkNotNegative(weight, { report: at, field: "weight" });
    total += weight;
  }
  if (route.length > 1 && total === 0 && route.every(({ weight }) => weight >= 0)) {
    const help = "give each destination its weight; their sum need not be 100";
    report.bad("route", `the weights of ${route.length} destinations add up to 0`, help);
  }
}

/** A host of the registry, and optionally a subset and a port of it. */
export function checkDestination(
  destination: Destination | undefined,
  report: Report,
  field: string,
): void {
  if (destination === undefined) {
    report.missing(field, `${field} is missing`);
    return;
  }
  const at = report.in(field);
  if (destination.host === "") at.missing("host", `${field} has no host`);
  else checkHost(destination.host, { report: at, field: "host" });
  if (destination.host === "*") at.bad("host", "host * is no destination");
  if (destination.subset !== "" && !isDnsLabel(destination.subset)) {
    at.bad("subset", `subset ${JSON.stringify(destination.subset)} is no DNS label`);
  }
  if (destination.port !== undefined) {
    checkPort(destination.port.number, { report: at, field: "port.number" });
  }
}
