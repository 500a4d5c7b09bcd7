import { clusterDiscovery } from "./cluster.ts";
import type { Resources, SnapshotResource } from "./resource.ts";
import { type Subscription, want } from "./subscription.ts";

/**
 * Envoy 1.40 answers a CDS response only when nothing warms, and some clusters warm for ever (a
 * ring_hash whose minimum is above its maximum, a maglev table that is not prime): from then on no
 * response is answered. The cure is to take the culprit away, or to replace it by a valid one.
 */
export interface Wedge {
  /** Rescues tried since the client answered last. */
  attempts: number;
}

/** Twice Envoy's initial_fetch_timeout of 15 s, which ends every honest wait for EDS or SDS. */
const UNANSWERED_MS_MAX = 30_000;

/** A resolver that does not answer holds a DNS cluster for all its tries: c-ares' take 75 s. */
const UNANSWERED_DNS_MS_MAX = 120_000;

/** A single cluster that is tried again after a rescue answers within milliseconds, or is at fault. */
const UNANSWERED_ALONE_MS_MAX = 5_000;

/** Rescues in a row without an answer: after them, something else ails the client. */
const ATTEMPTS_MAX = 4;

/** When an unanswered CDS response counts as wedged; undefined while there is none. */
export function wedgedAtMs(
  { attempts }: Wedge,
  clusters: Subscription,
  resources: Resources,
): number | undefined {
  const newest = clusters.pending.at(-1);
  if (newest === undefined || attempts >= ATTEMPTS_MAX) return undefined;
  const names = clusters.pending.flatMap(({ upserts }) => [...upserts.keys()]);
  const resolves = names.some((name) => {
    const resource = resources.get(name);
    return resource !== undefined && clusterDiscovery(resource).dns;
  });
  if (resolves) return newest.sentAtMs + UNANSWERED_DNS_MS_MAX;
  const probing = attempts > 0 || names.some((name) => clusters.alone.has(name));
  return newest.sentAtMs + (probing ? UNANSWERED_ALONE_MS_MAX : UNANSWERED_MS_MAX);
}

export interface Rescue {
  /** What the client accepted before, to be sent in place of the suspects. */
  readonly restored: readonly SnapshotResource[];
  /** Suspects that the client never had in a good version. */
  readonly removed: readonly string[];
  /** The culprit, if only one can be it: not sent again until it changes. */
  readonly culprit: string | undefined;
}

/**
 * Takes the suspects back: those that the client refused by name, else all of the unanswered
 * responses. One suspect is the culprit; several are sent again one by one once the client answers,
 * and the one that is not answered then is it. Bounded: each step needs a deadline or an answer.
 */
export function rescue(wedge: Wedge, clusters: Subscription, resources: Resources): Rescue {
  wedge.attempts += 1;
  const { refused, pending, former, sent, quarantine } = clusters;
  const unanswered = pending.flatMap(({ upserts }) => [...upserts.keys()]);
  const suspects = [...new Set(refused.size > 0 ? refused.keys() : unanswered)];
  const restored: SnapshotResource[] = [];
  const removed: string[] = [];
  for (const name of suspects) {
    const good = former.get(name);
    if (good === undefined) {
      removed.push(name);
      sent.delete(name);
    } else {
      restored.push(good);
      sent.set(name, good.version);
    }
    if (suspects.length > 1) {
      clusters.alone.add(name);
      want(clusters, name, "again");
    }
  }
  const [only, ...others] = suspects;
  if (only === undefined || others.length > 0) return { restored, removed, culprit: undefined };
  const version = resources.get(only)?.version;
  if (version !== undefined) quarantine.set(only, version);
  for (const held of [clusters.alone, refused, clusters.wanted]) held.delete(only);
  return { restored, removed, culprit: only };
}
