import type { RetryPolicySchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import { PreviousHostsPredicateSchema } from "@weft/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { PreviousPrioritiesConfigSchema } from "@weft/proto/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.ts";
import type { HttpRetry } from "@weft/proto/weft/mesh/v1/retry_pb.ts";
import { ifPositive } from "./duration.ts";
import { pack } from "./encode.ts";
import type { Init } from "./init.ts";

type RetryPolicyInit = Init<typeof RetryPolicySchema>;

const RETRY_ON_DEFAULT =
  "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
const RETRIES_DEFAULT = 2;

/** How often another host is looked for before one that failed is taken again. */
const OTHER_HOST_ATTEMPTS_MAX = 5n;

/** How many tries until other localities are preferred. */
const LOCALITY_UPDATE_FREQUENCY = 2;

/** Tries of a request that failed; undefined means none. Unset is not none: Istio retries twice. */
export function retryPolicy(
  retries: HttpRetry | undefined,
  usesConsistentHash: boolean,
): RetryPolicyInit | undefined {
  if (retries !== undefined && retries.attempts <= 0) return undefined;
  const { retryOn, statusCodes } = conditions(retries?.retryOn || RETRY_ON_DEFAULT);
  const perTryTimeout = ifPositive(retries?.perTryTimeout);
  const baseInterval = ifPositive(retries?.backoff);
  // A hash leads to the same host again and again: avoiding it would break what was asked for.
  const avoidsPrevious = !usesConsistentHash && (retries?.retryIgnorePreviousHosts ?? true);
  return {
    retryOn,
    numRetries: retries?.attempts ?? RETRIES_DEFAULT,
    retriableStatusCodes: statusCodes,
    ...(perTryTimeout && { perTryTimeout }),
    ...(baseInterval && { retryBackOff: { baseInterval } }),
    ...(avoidsPrevious && {
      hostSelectionRetryMaxAttempts: OTHER_HOST_ATTEMPTS_MAX,
      retryHostPredicate: [
        {
          name: "envoy.retry_host_predicates.previous_hosts",
          configType: { case: "typedConfig", value: pack(PreviousHostsPredicateSchema, {}) },
        },
      ],
    }),
    ...(retries?.retryRemoteLocalities && {
      retryPriority: {
        name: "envoy.retry_priorities.previous_priorities",
        configType: {
          case: "typedConfig",
          value: pack(PreviousPrioritiesConfigSchema, {
            updateFrequency: LOCALITY_UPDATE_FREQUENCY,
          }),
        },
      },
    }),
  };
}

/** What inbound requests get: another try if the application closed before it saw the request. */
export const inboundRetryPolicy: RetryPolicyInit = {
  retryOn: "reset-before-request",
  numRetries: RETRIES_DEFAULT,
};

/** Whole numbers in the list are response codes, which Envoy wants apart. */
function conditions(text: string): { retryOn: string; statusCodes: number[] } {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const statusCodes = parts.filter((part) => /^\d{3}$/.test(part)).map(Number);
  const words = parts.filter((part) => !/^\d+$/.test(part));
  if (statusCodes.length > 0 && !words.includes("retriable-status-codes")) {
    words.push("retriable-status-codes");
  }
  return { retryOn: words.join(","), statusCodes };
}
