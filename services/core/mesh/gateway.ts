import type { Gateway, Server } from "@weft/proto/weft/mesh/v1/gateway_pb.ts";
import { isIpAddress, unixProblem } from "./address.ts";
import type { Report } from "./finding.ts";
import { validateServerTls } from "./gateway-tls.ts";
import { checkHost, checkLabels, checkPort, checkUnique } from "./limits.ts";
import { isDnsLabel } from "./names.ts";
import { checkProtocol, protocolClass } from "./protocol.ts";

/** Reports what is wrong with a Gateway by itself (istio-api.md, 1.3). */
export function validateGateway({ servers, selector }: Gateway, report: Report): void {
  if (servers.length === 0) report.missing("servers", "Gateway has no server");
  checkLabels(selector, { report, field: "selector" });
  for (const [index, server] of servers.entries()) {
    validateServer(server, report.in(`servers[${index}]`));
  }
  checkUnique(servers, ({ name }) => name || undefined, {
    report,
    field: (index) => `servers[${index}].name`,
    what: "server",
  });
  checkUnique(servers, ({ port }) => port?.name || undefined, {
    report,
    field: (index) => `servers[${index}].port.name`,
    what: "port",
  });
  checkSharedPorts(servers, report);
}

function validateServer(server: Server, report: Report): void {
  const { port, hosts, bind, defaultEndpoint } = server;
  if (port === undefined) {
    report.missing("port", "server has no port");
  } else {
    const at = report.in("port");
    checkPort(port.number, { report: at, field: "number" });
    if (port.name === "") at.missing("name", `port ${port.number} has no name`);
    else if (!isDnsLabel(port.name.toLowerCase())) {
      at.bad("name", `port name ${JSON.stringify(port.name)} is no DNS label`);
    }
    if (port.protocol === "") at.missing("protocol", `port ${port.number} has no protocol`);
    else checkProtocol(port.protocol, { report: at, field: "protocol" });
  }
  if (hosts.length === 0) report.missing("hosts", "server has no host");
  for (const [index, host] of hosts.entries()) checkServerHost(host, report, `hosts[${index}]`);
  if (bind !== "" && !isIpAddress(bind) && !isUnixSocket(bind)) {
    report.bad("bind", `${JSON.stringify(bind)} is neither an address nor a Unix socket`);
  }
  if (defaultEndpoint !== "" && !/^(?:127\.0\.0\.1|\[::1\]):\d+$/.test(defaultEndpoint)) {
    if (!isUnixSocket(defaultEndpoint)) {
      const endpoint = JSON.stringify(defaultEndpoint);
      report.bad("defaultEndpoint", `${endpoint} is neither 127.0.0.1:PORT nor a Unix socket`);
    }
  }
  validateServerTls(server, report);
}

function isUnixSocket(address: string): boolean {
  return address.startsWith("unix://") && unixProblem(address) === undefined;
}

/** `host` or `namespace/host`; the namespace may be `.`, `*` or `~`. A short name means nothing. */
function checkServerHost(written: string, report: Report, field: string): void {
  const slash = written.indexOf("/");
  const host = written.slice(slash + 1);
  const namespace = written.slice(0, Math.max(slash, 0));
  if (slash >= 0 && ![".", "*", "~"].includes(namespace) && !isDnsLabel(namespace)) {
    report.bad(field, `${JSON.stringify(namespace)} is no namespace`);
  }
  if (isIpAddress(host)) return;
  checkHost(host, { report, field });
  if (host !== "*" && !host.includes(".")) {
    report.bad(field, `host ${host} is a short name`, "write the whole name, or *");
  }
}

/** A port cannot speak plain HTTP and TLS at once; nor serve the same host twice. */
function checkSharedPorts(servers: readonly Server[], report: Report): void {
  const ports = new Map<string, { protocol: string; hosts: Set<string> }>();
  for (const [index, { port, bind, hosts }] of servers.entries()) {
    if (port === undefined) continue;
    const key = `${bind}:${port.number}`;
    const first = ports.get(key);
    if (first === undefined) {
      ports.set(key, { protocol: port.protocol, hosts: new Set(hosts) });
      continue;
    }
    if (protocolClass(first.protocol) !== protocolClass(port.protocol)) {
      const message = `port ${port.number} is both ${first.protocol} and ${port.protocol}`;
      report.conflict(`servers[${index}].port.protocol`, message);
    }
    for (const [position, host] of hosts.entries()) {
      if (!first.hosts.has(host)) {
        first.hosts.add(host);
        continue;
      }
      const message = `host ${host} is served twice on port ${port.number}`;
      report.conflict(`servers[${index}].hosts[${position}]`, message);
    }
  }
}
