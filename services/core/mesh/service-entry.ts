import {
  ServiceEntry_Location as Location,
  ServiceEntry_Resolution as Resolution,
  ServiceEntry_ResolutionSchema as ResolutionSchema,
  type ServiceEntry,
} from "@weft/proto/weft/mesh/v1/service_entry_pb.ts";
import { isIpAddress, isNetwork } from "./address.ts";
import { entryOf, type Report } from "./finding.ts";
import {
  checkExportTo,
  checkHost,
  checkLabels,
  checkOptionalPort,
  checkPort,
  checkUnique,
  enumName,
} from "./limits.ts";
import { isDnsLabel, isWildcard } from "./names.ts";
import { checkProtocol } from "./protocol.ts";
import { validateWorkloadEntry } from "./workload-entry.ts";

/** Hosts of one entry: Istio's schema allows as many. */
const HOSTS_MAX = 256;

/** Reports what is wrong with a ServiceEntry by itself (istio-api.md, 1.4). */
export function validateServiceEntry(spec: ServiceEntry, report: Report): void {
  checkHosts(spec, report);
  checkAddresses(spec, report);
  checkPorts(spec, report);
  checkEndpoints(spec, report);
  checkResolution(spec, report);
  const { workloadSelector } = spec;
  if (workloadSelector !== undefined) {
    checkLabels(workloadSelector.labels, { report, field: "workloadSelector.labels" });
    if (spec.endpoints.length > 0) {
      const message = "ServiceEntry has both workloadSelector and endpoints";
      report.conflict("workloadSelector", message, "keep one of them");
    }
  }
  checkExportTo(spec.exportTo, report);
}

function checkHosts({ hosts }: ServiceEntry, report: Report): void {
  if (hosts.length === 0) report.missing("hosts", "ServiceEntry has no host");
  if (hosts.length > HOSTS_MAX) {
    report.bad("hosts", `ServiceEntry has ${hosts.length} hosts, at most ${HOSTS_MAX}`);
  }
  for (const [index, host] of hosts.entries()) {
    const field = `hosts[${index}]`;
    if (host === "*")
      report.bad(field, "host * stands for every host", "name a domain: *.example.com");
    else checkHost(host, { report, field });
  }
  checkUnique(hosts, (host) => host, {
    report,
    field: (index) => `hosts[${index}]`,
    what: "host",
  });
}

function checkAddresses({ addresses, resolution }: ServiceEntry, report: Report): void {
  const takesNetworks = resolution === Resolution.NONE || resolution === Resolution.STATIC;
  for (const [index, address] of addresses.entries()) {
    const field = `addresses[${index}]`;
    if (!isNetwork(address)) {
      report.bad(field, `${JSON.stringify(address)} is no address or network`);
    } else if (address.includes("/") && !takesNetworks) {
      const message = `network ${address} needs resolution NONE or STATIC`;
      report.conflict(field, message);
    }
  }
}

function checkPorts({ ports }: ServiceEntry, report: Report): void {
  for (const [index, port] of ports.entries()) {
    const at = report.in(`ports[${index}]`);
    checkPort(port.number, { report: at, field: "number" });
    checkOptionalPort(port.targetPort, { report: at, field: "targetPort" });
    if (port.name === "") at.missing("name", `port ${port.number} has no name`);
    else if (!isDnsLabel(port.name.toLowerCase())) {
      at.bad("name", `port name ${JSON.stringify(port.name)} is no DNS label`);
    }
    if (port.protocol !== "") checkProtocol(port.protocol, { report: at, field: "protocol" });
  }
  checkUnique(ports, ({ name }) => name || undefined, {
    report,
    field: (index) => `ports[${index}].name`,
    what: "port",
  });
  checkUnique(ports, ({ number }) => String(number), {
    report,
    field: (index) => `ports[${index}].number`,
    what: "port",
  });
}

function checkEndpoints({ endpoints, ports }: ServiceEntry, report: Report): void {
  const names = new Set(ports.map(({ name }) => name));
  for (const [index, endpoint] of endpoints.entries()) {
    const at = report.in(`endpoints[${index}]`);
    validateWorkloadEntry(endpoint, at);
    for (const name of Object.keys(endpoint.ports)) {
      if (names.has(name)) continue;
      at.bad(`ports${entryOf(name)}`, `the ServiceEntry has no port named ${name}`);
    }
  }
}

function checkResolution(spec: ServiceEntry, report: Report): void {
  const { endpoints, hosts, resolution } = spec;
  switch (resolution) {
    case Resolution.NONE:
      if (endpoints.length > 0) {
        const message = "resolution NONE goes where the client goes, not to endpoints";
        report.conflict("endpoints", message, "set resolution: STATIC or DNS");
      }
      break;
    case Resolution.STATIC:
      for (const [index, { address }] of endpoints.entries()) {
        if (address === "" || address.startsWith("unix://") || isIpAddress(address)) continue;
        const message = `resolution STATIC takes addresses, not the name ${address}`;
        report.bad(`endpoints[${index}].address`, message, "set resolution: DNS");
      }
      break;
    case Resolution.DNS:
    case Resolution.DNS_ROUND_ROBIN:
      checkDns(spec, report);
      break;
    case Resolution.DYNAMIC_DNS:
      if (endpoints.length > 0) {
        report.conflict("endpoints", "resolution DYNAMIC_DNS looks endpoints up by itself");
      }
      if (spec.location === Location.MESH_INTERNAL) {
        const message = "resolution DYNAMIC_DNS leads out of the mesh, location MESH_INTERNAL";
        report.conflict("location", message);
      }
      for (const [index, host] of hosts.entries()) {
        if (isWildcard(host)) continue;
        const message = `host ${host} is no wildcard, which DYNAMIC_DNS is for`;
        report.bad(`hosts[${index}]`, message, "set resolution: DNS");
      }
  }
}

function checkDns({ endpoints, hosts, resolution }: ServiceEntry, report: Report): void {
  const name = enumName(ResolutionSchema, resolution);
  if (resolution === Resolution.DNS_ROUND_ROBIN && endpoints.length > 1) {
    const message = `resolution ${name} takes one endpoint, not ${endpoints.length}`;
    report.conflict("endpoints", message);
  }
  if (endpoints.length > 0) {
    for (const [index, { address }] of endpoints.entries()) {
      if (!address.startsWith("unix://")) continue;
      report.bad(`endpoints[${index}].address`, `resolution ${name} cannot look up ${address}`);
    }
    return;
  }
  for (const [index, host] of hosts.entries()) {
    if (!isWildcard(host)) continue;
    const message = `resolution ${name} cannot look up the wildcard ${host}`;
    report.bad(`hosts[${index}]`, message, "give it endpoints, or set resolution: NONE");
  }
}
