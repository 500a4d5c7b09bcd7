import type { Report } from "./finding.ts";
import { isDnsLabel, isDnsSubdomain } from "./names.ts";

/** The name that stands for all sidecars among the gateways of a VirtualService. */
export const MESH_GATEWAY = "mesh";

/** `name`, `namespace/name`, a name with dots, or `mesh`. */
export function checkGatewayNames(gateways: readonly string[], report: Report): void {
  for (const [index, name] of gateways.entries()) {
    const [first = "", second, ...more] = name.split("/");
    const isName =
      second === undefined
        ? isDnsSubdomain(first)
        : (isDnsLabel(first) || first === ".") && isDnsSubdomain(second) && more.length === 0;
    if (isName) continue;
    const help = "write `name` or `namespace/name`";
    report.bad(`gateways[${index}]`, `${JSON.stringify(name)} is no name of a gateway`, help);
  }
}
