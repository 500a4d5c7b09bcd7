import type {
  LoadBalancerSettings_ConsistentHashLb as ConsistentHash,
  LoadBalancerSettings,
  LocalityLoadBalancerSetting,
  WarmupConfiguration,
} from "@weft/proto/weft/mesh/v1/load_balancer_pb.ts";
import { entryOf, type Report } from "./finding.ts";
import { checkDuration, checkPercent, checkRange } from "./limits.ts";
import { isHttpToken } from "./names.ts";

/** Envoy's maximum_ring_size: a minimum above it is refused, and wedges the cluster's update. */
const RING_SIZE_MAX = 8_388_608;

/** Envoy's largest Maglev table. */
const MAGLEV_TABLE_SIZE_MAX = 5_000_011;

/** Reports what is wrong with a load balancer. */
export function validateLoadBalancer(settings: LoadBalancerSettings, report: Report): void {
  if (settings.lbPolicy.case === "consistentHash") {
    validateConsistentHash(settings.lbPolicy.value, report.in("consistentHash"));
  }
  const { warmup, warmupDurationSecs, localityLbSetting, backendUtilization } = settings;
  checkDuration(warmupDurationSecs, { report, field: "warmupDurationSecs" });
  if (warmup) validateWarmup(warmup, report.in("warmup"));
  if (warmup && warmupDurationSecs) {
    report.conflict("warmupDurationSecs", "loadBalancer has both warmup and warmupDurationSecs");
  }
  if (localityLbSetting) validateLocality(localityLbSetting, report.in("localityLbSetting"));
  if (settings.zoneAwareLbSetting) {
    const { failover } = settings.zoneAwareLbSetting;
    checkFailover(failover, report.in("zoneAwareLbSetting"));
  }
  if (backendUtilization) {
    const at = report.in("backendUtilization");
    checkDuration(backendUtilization.weightExpirationPeriod, {
      report: at,
      field: "weightExpirationPeriod",
      zero: true,
    });
    checkDuration(backendUtilization.weightStabilizationPeriod, {
      report: at,
      field: "weightStabilizationPeriod",
      zero: true,
    });
    checkDuration(backendUtilization.weightUpdatePeriod, {
      report: at,
      field: "weightUpdatePeriod",
    });
  }
}

function validateConsistentHash(hash: ConsistentHash, report: Report): void {
  const { hashKey, hashAlgorithm, minimumRingSize } = hash;
  if (hashKey.case === undefined) {
    const help = "give it httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName";
    report.missing("", "consistentHash has nothing to hash", help);
  }
  if (hashKey.case === "httpHeaderName" && !isHttpToken(hashKey.value)) {
    report.bad("httpHeaderName", `${JSON.stringify(hashKey.value)} is no name of a header`);
  }
  if (hashKey.case === "httpQueryParameterName" && hashKey.value === "") {
    report.bad("httpQueryParameterName", "httpQueryParameterName is empty");
  }
  if (hashKey.case === "httpCookie") {
    const { name, ttl } = hashKey.value;
    if (name === "") report.missing("httpCookie.name", "httpCookie has no name");
    checkDuration(ttl, { report, field: "httpCookie.ttl", zero: true });
  }
  checkRange(minimumRingSize, [0, RING_SIZE_MAX], { report, field: "minimumRingSize" });
  if (hashAlgorithm.case === "ringHash") {
    const field = "ringHash.minimumRingSize";
    checkRange(hashAlgorithm.value.minimumRingSize, [0, RING_SIZE_MAX], { report, field });
  }
  if (hashAlgorithm.case === "maglev") checkTableSize(hashAlgorithm.value.tableSize, report);
}

function checkTableSize(size: bigint, report: Report): void {
  const field = "maglev.tableSize";
  checkRange(size, [0, MAGLEV_TABLE_SIZE_MAX], { report, field });
  if (size === 0n || size > MAGLEV_TABLE_SIZE_MAX || isPrime(Number(size))) return;
  let next = Number(size);
  while (!isPrime(next)) next++;
  report.bad(field, `tableSize ${size} is not prime`, `the next prime number is ${next}`);
}

/** Trial division: the largest table has a root of 2237. */
function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false;
  }
  return true;
}

function validateWarmup(warmup: WarmupConfiguration, report: Report): void {
  if (warmup.duration === undefined) report.missing("duration", "warmup has no duration");
  checkDuration(warmup.duration, { report, field: "duration" });
  checkPercent(warmup.minimumPercent, { report, field: "minimumPercent" });
  if (warmup.aggression !== undefined && warmup.aggression < 1) {
    report.bad("aggression", `aggression ${warmup.aggression} is below 1`);
  }
}

function validateLocality(setting: LocalityLoadBalancerSetting, report: Report): void {
  const { distribute, failover, failoverPriority } = setting;
  if (distribute.length > 0 && failover.length + failoverPriority.length > 0) {
    const rival = failover.length > 0 ? "failover" : "failoverPriority";
    report.conflict(rival, `localityLbSetting has both distribute and ${rival}`);
  }
  for (const [index, { from, to }] of distribute.entries()) {
    const at = report.in(`distribute[${index}]`);
    if (from === "") at.missing("from", "distribute has no from");
    let total = 0;
    for (const [locality, weight] of Object.entries(to)) {
      const field = `to${entryOf(locality)}`;
      if (weight === 0) at.bad(field, `locality ${locality} has weight 0`, "leave it out");
      total += weight;
    }
    if (total !== 100) at.bad("to", `the weights from ${from} add up to ${total}, not to 100`);
  }
  checkFailover(failover, report);
}

function checkFailover(failover: LocalityLoadBalancerSetting["failover"], report: Report): void {
  for (const [index, { from, to }] of failover.entries()) {
    if (from !== to) continue;
    report.bad(`failover[${index}].to`, `region ${from} cannot fail over to itself`);
  }
}
