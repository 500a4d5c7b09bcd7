import type { PeerAuthentication } from "@weft/proto/weft/mesh/v1/peer_authentication_pb.ts";
import { entryOf, type Report } from "./finding.ts";
import { checkLabels } from "./limits.ts";
import { isPort } from "./names.ts";

/** Reports what is wrong with a PeerAuthentication by itself (istio-api.md, 1.9). */
export function validatePeerAuthentication(spec: PeerAuthentication, report: Report): void {
  const labels = spec.selector?.matchLabels ?? {};
  checkLabels(labels, { report, field: "selector.matchLabels" });
  const ports = Object.keys(spec.portLevelMtls);
  if (report.isWritten("portLevelMtls") && ports.length === 0) {
    report.missing("portLevelMtls", "portLevelMtls has no port");
  }
  if (ports.length > 0 && Object.keys(labels).length === 0) {
    const message = "portLevelMtls needs a selector: ports belong to workloads";
    report.conflict("portLevelMtls", message, "give it selector.matchLabels");
  }
  for (const port of ports) {
    if (isPort(Number(port))) continue;
    const field = `portLevelMtls${entryOf(port)}`;
    report.bad(field, `port ${port} is not within 1 to 65535`);
  }
}
