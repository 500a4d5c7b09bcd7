import type { L4MatchAttributes, TlsMatchAttributes } from "@weft/proto/weft/mesh/v1/match_pb.ts";
import type {
  TcpRoute,
  TlsRoute,
  VirtualService,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { isIpAddress, isNetwork } from "./address.ts";
import { checkDestinations } from "./destination.ts";
import type { Report } from "./finding.ts";
import { checkGatewayNames, MESH_GATEWAY } from "./gateway-name.ts";
import { createHostSet, type HostSet } from "./host-set.ts";
import { validateHttpRoute } from "./http-route.ts";
import { checkExportTo, checkHost, checkLabels, checkOptionalPort } from "./limits.ts";

/** Hosts that one help lists. */
const HOSTS_SHOWN_MAX = 10;

/** Reports what is wrong with a VirtualService by itself (istio-api.md, 1.1). */
export function validateVirtualService(spec: VirtualService, report: Report): void {
  // Without hosts it is a delegate: rules that another VirtualService takes over.
  if (spec.hosts.length === 0) checkDelegate(spec, report);
  else checkHosts(spec, report);
  checkGatewayNames(spec.gateways, report);
  if (spec.http.length + spec.tls.length + spec.tcp.length === 0) {
    report.missing("http", "VirtualService has no rule: neither http, tls nor tcp");
  }
  for (const [index, route] of spec.http.entries()) {
    validateHttpRoute(route, report.in(`http[${index}]`));
  }
  const hosts = createHostSet(spec.hosts);
  for (const [index, route] of spec.tls.entries()) {
    validateTlsRoute(route, report.in(`tls[${index}]`), { spec, hosts });
  }
  for (const [index, route] of spec.tcp.entries()) {
    validateTcpRoute(route, report.in(`tcp[${index}]`));
  }
  checkExportTo(spec.exportTo, report);
}

function checkDelegate(spec: VirtualService, report: Report): void {
  if (spec.http.length === 0 && spec.tls.length + spec.tcp.length > 0) {
    report.missing("hosts", "VirtualService has no host");
    return;
  }
  for (const field of ["gateways", "tls", "tcp"] as const) {
    if (spec[field].length === 0) continue;
    report.conflict(
      field,
      `VirtualService has ${field} but no host`,
      "give it hosts; without them it is a delegate, which has http rules only",
    );
  }
}

function checkHosts({ hosts, gateways }: VirtualService, report: Report): void {
  const before = createHostSet();
  const inMesh = gateways.length === 0 || gateways.includes(MESH_GATEWAY);
  for (const [index, host] of hosts.entries()) {
    const field = `hosts[${index}]`;
    if (!isIpAddress(host)) checkHost(host, { report, field });
    if (host === "*" && inMesh) {
      const help = "name a gateway, or the hosts that are meant";
      report.bad(field, "host * would take all traffic of the mesh", help);
    }
    const other = before.overlapping(host);
    before.add(host);
    if (other !== undefined) report.conflict(field, `host ${host} overlaps with host ${other}`);
  }
}

function validateTlsRoute(
  route: TlsRoute,
  report: Report,
  { spec, hosts }: { readonly spec: VirtualService; readonly hosts: HostSet },
): void {
  if (route.match.length === 0) report.missing("match", "tls rule has no match");
  for (const [index, match] of route.match.entries()) {
    const at = report.in(`match[${index}]`);
    if (match.sniHosts.length === 0) at.missing("sniHosts", "tls match has no sniHosts");
    for (const [position, sni] of match.sniHosts.entries()) {
      const field = `sniHosts[${position}]`;
      checkHost(sni, { report: at, field });
      if (spec.hosts.length === 0 || hosts.covering(sni) !== undefined) continue;
      const shown = spec.hosts.slice(0, HOSTS_SHOWN_MAX).join(", ");
      const help = `it is one of ${shown}${spec.hosts.length > HOSTS_SHOWN_MAX ? ", …" : ""}`;
      at.bad(field, `sniHosts ${sni} is within no host of the VirtualService`, help);
    }
    checkConnectionMatch(match, at);
  }
  checkTargets(route, report, "tls");
}

function validateTcpRoute(route: TcpRoute, report: Report): void {
  for (const [index, match] of route.match.entries()) {
    const at = report.in(`match[${index}]`);
    checkConnectionMatch(match, at);
    if (match.sourceSubnet !== "" && !isNetwork(match.sourceSubnet)) {
      at.bad("sourceSubnet", `${JSON.stringify(match.sourceSubnet)} is no address or network`);
    }
  }
  checkTargets(route, report, "tcp");
}

function checkTargets({ route }: TlsRoute | TcpRoute, report: Report, protocol: string): void {
  if (route.length === 0) report.missing("route", `${protocol} rule has no route`);
  checkDestinations(route, report);
}

function checkConnectionMatch(match: TlsMatchAttributes | L4MatchAttributes, report: Report): void {
  for (const [index, subnet] of match.destinationSubnets.entries()) {
    if (isNetwork(subnet)) continue;
    report.bad(`destinationSubnets[${index}]`, `${JSON.stringify(subnet)} is no network`);
  }
  checkOptionalPort(match.port, { report, field: "port" });
  checkLabels(match.sourceLabels, { report, field: "sourceLabels" });
  checkGatewayNames(match.gateways, report);
}
