import type { Subscription } from "./subscription.ts";

/** What a stream's proxy has taken, for those who watch. */
export interface StreamStatus {
  /** The newest revision all of whose resources the proxy has. */
  readonly ackedRevision: number;
  /** When it acknowledged last; undefined for one that came with all it needs. */
  readonly ackedAtMs: number | undefined;
  readonly state: "SYNCED" | "STALE" | "NACKED";
  readonly resourcesSent: number;
  readonly types: readonly TypeStatus[];
}

export interface TypeStatus {
  readonly type: string;
  /** Resources the proxy has of this type. */
  readonly resources: number;
  readonly acks: number;
  readonly nacks: number;
  readonly ackedAtMs: number | undefined;
  readonly nack: string;
  readonly nackedAtMs: number | undefined;
  readonly nackedResources: readonly string[];
}

/** Names in one status: a response of thousands may be refused as a whole. */
const NACKED_RESOURCES_MAX = 20;

export function describeStream(stream: {
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly ackedRevision: number;
  readonly resourcesSent: number;
  readonly settled: boolean;
}): StreamStatus {
  const subscriptions = [...stream.subscriptions.values()];
  const types = subscriptions.map(describeType);
  const ackedAt = types.flatMap(({ ackedAtMs }) => (ackedAtMs === undefined ? [] : [ackedAtMs]));
  const nacked = types.some(({ nackedResources }) => nackedResources.length > 0);
  return {
    ackedRevision: stream.ackedRevision,
    ackedAtMs: ackedAt.length === 0 ? undefined : Math.max(...ackedAt),
    state: nacked ? "NACKED" : stream.settled ? "SYNCED" : "STALE",
    resourcesSent: stream.resourcesSent,
    types,
  };
}

function describeType({
  type,
  sent,
  status,
  refused,
  alone,
  quarantine,
}: Subscription): TypeStatus {
  const nacked = new Set([...refused.keys(), ...quarantine.keys(), ...alone]);
  return {
    type: type.short,
    resources: sent.size,
    acks: status.acks,
    nacks: status.nacks,
    ackedAtMs: status.ackedAtMs,
    nack: status.nack,
    nackedAtMs: status.nackedAtMs,
    nackedResources: [...nacked].slice(0, NACKED_RESOURCES_MAX),
  };
}
