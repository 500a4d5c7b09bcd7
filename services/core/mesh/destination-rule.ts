import type { DestinationRule } from "@weft/proto/weft/mesh/v1/destination_rule_pb.ts";
import type { Report } from "./finding.ts";
import { checkExportTo, checkHost, checkLabels, checkUnique } from "./limits.ts";
import { isDnsLabel } from "./names.ts";
import { validateTrafficPolicy } from "./traffic-policy.ts";

/** Reports what is wrong with a DestinationRule by itself (istio-api.md, 1.2). */
export function validateDestinationRule(spec: DestinationRule, report: Report): void {
  if (spec.host === "") report.missing("host", "DestinationRule has no host");
  else checkHost(spec.host, { report, field: "host" });
  if (spec.trafficPolicy) validateTrafficPolicy(spec.trafficPolicy, report.in("trafficPolicy"));
  for (const [index, subset] of spec.subsets.entries()) {
    const at = report.in(`subsets[${index}]`);
    if (subset.name === "") {
      at.missing("name", "subset has no name");
    } else if (!isDnsLabel(subset.name)) {
      const help = "use at most 63 lower-case letters, digits and dashes";
      at.bad("name", `subset ${JSON.stringify(subset.name)} is no DNS label`, help);
    }
    checkLabels(subset.labels, { report: at, field: "labels" });
    if (subset.trafficPolicy) validateTrafficPolicy(subset.trafficPolicy, at.in("trafficPolicy"));
  }
  checkUnique(spec.subsets, ({ name }) => name || undefined, {
    report,
    field: (index) => `subsets[${index}].name`,
    what: "subset",
  });
  checkExportTo(spec.exportTo, report);
  if (spec.workloadSelector) {
    const { matchLabels } = spec.workloadSelector;
    checkLabels(matchLabels, { report, field: "workloadSelector.matchLabels" });
  }
}
