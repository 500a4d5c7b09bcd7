import type { WorkloadEntry } from "@weft/proto/weft/mesh/v1/workload_entry_pb.ts";
import { isIpAddress, unixProblem } from "./address.ts";
import { entryOf, type Report } from "./finding.ts";
import { checkHost, checkLabels } from "./limits.ts";
import { isDnsLabel, isPort } from "./names.ts";

/** Reports what is wrong with a WorkloadEntry, or with an endpoint of a ServiceEntry. */
export function validateWorkloadEntry(entry: WorkloadEntry, report: Report): void {
  const { address, ports, network, serviceAccount } = entry;
  if (address === "") {
    // An empty address is the gateway of another network.
    if (network === "") report.missing("address", "workload has no address");
  } else if (address.startsWith("unix://")) {
    const problem = unixProblem(address);
    if (problem !== undefined) report.bad("address", `${address} ${problem}`);
    if (Object.keys(ports).length > 0) {
      report.conflict("ports", "a Unix socket has no ports", "remove ports");
    }
  } else if (!isIpAddress(address)) {
    checkHost(address, { report, field: "address", wildcard: false });
  }
  for (const [name, number] of Object.entries(ports)) {
    const field = `ports${entryOf(name)}`;
    if (!isDnsLabel(name.toLowerCase())) {
      report.bad(field, `port name ${JSON.stringify(name)} is no DNS label`);
    }
    if (!isPort(number)) report.bad(field, `port ${number} is not within 1 to 65535`);
  }
  checkLabels(entry.labels, { report, field: "labels" });
  if (serviceAccount !== "" && !/^[A-Za-z0-9][-._A-Za-z0-9]{0,252}$/.test(serviceAccount)) {
    const name = JSON.stringify(serviceAccount);
    report.bad("serviceAccount", `${name} is no name of a service account`);
  }
}
