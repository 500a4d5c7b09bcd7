import type { Variant } from "./request.ts";
import type { Resources, SnapshotResource } from "./resource.ts";
import { isSubscribed, type Subscription, type Want } from "./subscription.ts";

/** What is open when a response is put together. */
export interface Gates {
  /** Changes of this type may go. */
  readonly changes: boolean;
  /** Removals of this type may go. */
  readonly removals: boolean;
}

/** What the next response of a type holds. */
export interface Batch {
  readonly upserts: SnapshotResource[];
  readonly removed: string[];
  /** SotW resources that ride along unchanged, because the response is the complete set. */
  readonly unchanged: SnapshotResource[];
}

/**
 * Takes the next response out of what is wanted, or undefined if nothing may go. Whatever is in it
 * counts as sent.
 */
export function collect(
  subscription: Subscription,
  variant: Variant,
  options: { readonly resources: Resources; readonly gates: Gates },
): Batch | undefined {
  const { resources } = options;
  const due = sift(subscription, options);
  const batch: Batch = { ...bound(subscription, due), unchanged: [] };
  const complete = variant === "sotw" && subscription.type.complete;
  for (const { name, version } of batch.upserts) {
    subscription.wanted.delete(name);
    subscription.sent.set(name, version);
    if (subscription.refused.get(name) !== version) subscription.refused.delete(name);
  }
  for (const name of batch.removed) {
    subscription.wanted.delete(name);
    subscription.sent.delete(name);
    subscription.refused.delete(name);
    subscription.former.delete(name);
  }
  const owed = subscription.answerOwed;
  if (batch.upserts.length + batch.removed.length === 0 && !owed) return undefined;
  subscription.answerOwed = false;
  if (complete) fillUp(subscription, batch, resources);
  else if (variant === "sotw") {
    // Only a complete set can tell of absence; else the last name may go without a response.
    batch.removed.length = 0;
    if (batch.upserts.length === 0 && !owed) return undefined;
  }
  return batch;
}

/** Looks at every wanted name: what may go now, what waits, what needs nothing. */
function sift(
  subscription: Subscription,
  { resources, gates }: { readonly resources: Resources; readonly gates: Gates },
): { readonly upserts: SnapshotResource[]; readonly removed: string[] } {
  const { type, wanted, sent, quarantine, refused, alone } = subscription;
  const upserts: SnapshotResource[] = [];
  const removed: string[] = [];
  for (const [name, why] of wanted) {
    const resource = resources.get(name);
    const asked = why === "requested";
    if (!isSubscribed(subscription, name)) {
      wanted.delete(name);
      continue;
    }
    if (resource !== undefined) {
      if (quarantine.get(name) === resource.version) wanted.delete(name);
      else if (why === "changed" && sent.get(name) === resource.version) wanted.delete(name);
      else if (gates.changes || !replaces(sent.get(name), resource, why)) {
        quarantine.delete(name);
        upserts.push(resource);
      }
      continue;
    }
    for (const held of [quarantine, refused, alone]) held.delete(name);
    if (type.absent === "silent") wanted.delete(name);
    else if (!asked && !sent.has(name)) wanted.delete(name);
    else if (asked || gates.removals) removed.push(name);
  }
  return { upserts, removed };
}

/** Whether it would change what the client uses, so that it waits for its gate. */
function replaces(sent: string | undefined, { version }: SnapshotResource, why: Want): boolean {
  return why === "changed" || (sent !== undefined && sent !== version);
}

/** Cuts a response to one resource where each has to go alone. */
function bound(
  { type, alone }: Subscription,
  due: { readonly upserts: SnapshotResource[]; readonly removed: string[] },
): { readonly upserts: SnapshotResource[]; readonly removed: string[] } {
  if (type.alone) return { upserts: due.upserts.slice(0, 1), removed: due.removed };
  if (alone.size === 0) return due;
  const together = due.upserts.filter(({ name }) => !alone.has(name));
  if (together.length > 0 || due.removed.length > 0) return { ...due, upserts: together };
  return { upserts: due.upserts.slice(0, 1), removed: [] };
}

/** Adds what a complete set needs: all that the client has and keeps, leaving resources included. */
export function fillUp(subscription: Subscription, batch: Batch, resources: Resources): void {
  const { sent, former } = subscription;
  const changed = new Set(batch.upserts.map(({ name }) => name));
  for (const [name, version] of sent) {
    if (changed.has(name)) continue;
    const current = resources.get(name);
    // A change that waits for its gate: what the client has goes once more, else it would be deleted.
    const kept = current?.version === version ? current : (former.get(name) ?? current);
    if (kept !== undefined) batch.unchanged.push(kept);
  }
  batch.removed.length = 0;
}
