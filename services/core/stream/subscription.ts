import { WeftError } from "../error.ts";
import type { DeltaRequest, SotwRequest } from "./request.ts";
import type { Resources, SnapshotResource } from "./resource.ts";
import type { DiscoveryType } from "./type.ts";

/**
 * Why a name is to be looked at when there is room for a response. `changed`: send it if the client
 * has another version. `again`: send it even if it is the same. `requested`: so too, and say at once
 * if there is none.
 */
export type Want = "changed" | "again" | "requested";

const WEIGHT: Readonly<Record<Want, number>> = { changed: 0, again: 1, requested: 2 };

/** A response that the client has not answered yet. */
export interface Pending {
  readonly nonce: string;
  /** What it brought, by name: the version. */
  readonly upserts: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  readonly sentAtMs: number;
}

/** What became of the responses of one type. */
export interface SubscriptionStatus {
  acks: number;
  nacks: number;
  ackedAtMs: number | undefined;
  /** The client's reason for its last refusal; empty once nothing is refused. */
  nack: string;
  nackedAtMs: number | undefined;
}

/** What one stream knows of one type. Changed in place: it lives and dies with its stream. */
export interface Subscription {
  readonly type: DiscoveryType;
  wildcard: boolean;
  /** Whether a name was ever given: after that, an empty SotW request means nothing, not all. */
  named: boolean;
  readonly names: Set<string>;
  /** The version of each resource that the client was sent last, or said it holds. */
  readonly sent: Map<string, string>;
  readonly wanted: Map<string, Want>;
  /** Names that go one in a response, since a response that held them was refused. */
  readonly alone: Set<string>;
  /** Refused when it came alone, and not replaced since: name → version. */
  readonly refused: Map<string, string>;
  /** Versions that wedge the client, found by name: not sent again (wedge.ts). */
  readonly quarantine: Map<string, string>;
  /** What the client last accepted of names that changed since; of `complete` types only. */
  readonly former: Map<string, SnapshotResource>;
  readonly pending: Pending[];
  /** A response is owed even if it holds nothing. */
  answerOwed: boolean;
  readonly status: SubscriptionStatus;
}

/** Names that a stream may subscribe to in one type: twice the largest mesh in view. */
const NAMES_MAX = 200_000;

const WILDCARD = "*";

export function createSubscription(type: DiscoveryType): Subscription {
  return {
    type,
    wildcard: false,
    named: false,
    names: new Set(),
    sent: new Map(),
    wanted: new Map(),
    alone: new Set(),
    refused: new Map(),
    quarantine: new Map(),
    former: new Map(),
    pending: [],
    answerOwed: false,
    status: { acks: 0, nacks: 0, ackedAtMs: undefined, nack: "", nackedAtMs: undefined },
  };
}

export function isSubscribed(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

export interface SubscribeOptions {
  readonly resources: Resources;
  /** The first request of this type on the stream. */
  readonly first: boolean;
  /** Send all that is named, even what the client says it holds. */
  readonly resend: boolean;
}

/** Takes the names of an incremental request (xds_protocol.rst, "Incremental xDS"). */
export function subscribeDelta(
  subscription: Subscription,
  request: DeltaRequest,
  { resources, first, resend }: SubscribeOptions,
): void {
  const { type, names, sent } = subscription;
  if (first) {
    for (const [name, version] of request.versions) sent.set(intern(resources, name), version);
    if (type.complete && request.subscribe.length === 0) {
      startWildcard(subscription, resources);
      subscription.answerOwed = sent.size === 0;
    }
  }
  for (const name of request.subscribe) {
    if (name === WILDCARD) {
      if (subscription.wildcard) continue;
      startWildcard(subscription, resources);
      subscription.answerOwed = sent.size === 0;
      continue;
    }
    addName(names, intern(resources, name));
    const resumed = first && !resend && sent.has(name);
    want(subscription, intern(resources, name), resumed ? "changed" : "requested");
  }
  for (const name of request.unsubscribe) {
    if (name === WILDCARD) endWildcard(subscription);
    else dropName(subscription, name);
  }
}

/** Takes the names of a SotW request: always all that the client wants. */
export function subscribeSotw(
  subscription: Subscription,
  request: SotwRequest,
  options: SubscribeOptions & { /** Of the whole set. */ readonly versionInfo: string },
): void {
  const { type, names, sent } = subscription;
  const { resources, first } = options;
  const listed = new Set(request.names);
  const legacy = type.complete && listed.size === 0 && !subscription.named;
  if (listed.size > 0) subscription.named = true;
  const wildcard = legacy || listed.delete(WILDCARD);
  if (wildcard && !subscription.wildcard) {
    // Equal versions of the whole set are equal sets, so a reconnecting client has all of it.
    const resumed = first && request.versionInfo !== "" && listed.size === 0;
    if (resumed && request.versionInfo === options.versionInfo) {
      subscription.wildcard = true;
      for (const { name, version } of resources.values()) sent.set(name, version);
    } else {
      startWildcard(subscription, resources);
      subscription.answerOwed = true;
    }
  } else if (!wildcard && subscription.wildcard) endWildcard(subscription);
  for (const name of names) {
    if (!listed.has(name)) dropName(subscription, name);
  }
  for (const listedName of listed) {
    const name = intern(resources, listedName);
    if (names.has(name)) continue;
    addName(names, name);
    want(subscription, name, "requested");
    // Of a complete set, an absent name is told by what it lacks.
    if (type.complete) subscription.answerOwed = true;
  }
}

function startWildcard(subscription: Subscription, resources: Resources): void {
  const { sent } = subscription;
  subscription.wildcard = true;
  const resumes = sent.size > 0;
  for (const name of resources.keys()) want(subscription, name, resumes ? "changed" : "requested");
  // What the client holds and we do not have is removed.
  for (const name of sent.keys()) want(subscription, name, "changed");
}

function endWildcard(subscription: Subscription): void {
  subscription.wildcard = false;
  for (const name of [...subscription.sent.keys(), ...subscription.wanted.keys()]) {
    if (!subscription.names.has(name)) forget(subscription, name);
  }
}

function dropName(subscription: Subscription, name: string): void {
  if (!subscription.names.delete(name) && !subscription.wildcard) return;
  // Still in the wildcard: the client asks whether that has it (C5).
  if (subscription.wildcard) subscription.wanted.set(name, "requested");
  else forget(subscription, name);
}

function forget(subscription: Subscription, name: string): void {
  const { sent, wanted, alone, refused, quarantine, former } = subscription;
  for (const held of [sent, wanted, alone, refused, quarantine, former]) held.delete(name);
}

function addName(names: Set<string>, name: string): void {
  if (names.size >= NAMES_MAX) {
    throw new WeftError("invalid", "xds.bad_request", `more than ${NAMES_MAX} names of one type`);
  }
  names.add(name);
}

/** Notes that a name is to be looked at; the weightier reason stays. */
export function want({ wanted }: Subscription, name: string, why: Want): void {
  const known = wanted.get(name);
  if (known === undefined || WEIGHT[known] < WEIGHT[why]) wanted.set(name, why);
}

/** The snapshot's own string where it has the name, so that streams share it. */
function intern(resources: Resources, name: string): string {
  return resources.get(name)?.name ?? name;
}

/** Notes what differs between two snapshots, for the names that the client wants. */
export function noteChanges(
  subscription: Subscription,
  changed: readonly string[],
  before: Resources,
): void {
  for (const name of changed) {
    if (!isSubscribed(subscription, name)) continue;
    want(subscription, name, "changed");
    const { type, former, sent, refused } = subscription;
    const old = before.get(name);
    if (!type.complete || old === undefined || former.has(name)) continue;
    if (sent.get(name) === old.version && !refused.has(name)) former.set(name, old);
  }
}

/** How a client answered a response. */
export interface Answer {
  readonly type: DiscoveryType;
  /** Undefined for an ACK. */
  readonly refusal: string | undefined;
  /** What the response had brought. */
  readonly names: readonly string[];
}

/**
 * Takes an ACK or a NACK. A NACK is of a whole response though parts of it may be in force, so each
 * of its resources goes again, alone; what is refused alone waits for a change.
 *
 * @returns undefined for a nonce that no response waits for.
 */
export function takeAnswer(
  subscription: Subscription,
  { nonce, refusal, nowMs, splits }: TakeAnswerOptions,
): Answer | undefined {
  const { pending, status, type } = subscription;
  const index = pending.findIndex((response) => response.nonce === nonce);
  const response = pending[index];
  if (response === undefined) return undefined;
  // A later answer covers earlier responses: the client handles them in order.
  const covered = pending.splice(0, index + 1);
  const names = [...response.upserts.keys(), ...response.removed];
  if (refusal === undefined) {
    status.acks += 1;
    status.ackedAtMs = nowMs;
    for (const { upserts, removed } of covered) accept(subscription, upserts, removed);
    const { refused, alone, quarantine } = subscription;
    if (refused.size + alone.size + quarantine.size === 0) status.nack = "";
  } else {
    status.nacks += 1;
    status.nackedAtMs = nowMs;
    status.nack = refusal;
    for (const [name, version] of response.upserts) {
      if (response.upserts.size > 1 && splits) {
        subscription.alone.add(name);
        want(subscription, name, "again");
      } else if (subscription.sent.get(name) === version) {
        subscription.refused.set(name, version);
      }
    }
  }
  return { type, refusal, names };
}

export interface TakeAnswerOptions {
  readonly nonce: string;
  readonly refusal: string | undefined;
  readonly nowMs: number;
  /** Whether the resources of a refused response may go one by one. */
  readonly splits: boolean;
}

function accept(
  { sent, alone, refused, former, wanted }: Subscription,
  upserts: ReadonlyMap<string, string>,
  removed: readonly string[],
): void {
  for (const [name, version] of upserts) {
    // Superseded, or about to be tried again: what was accepted is not the last word.
    if (sent.get(name) !== version || wanted.has(name)) continue;
    for (const held of [alone, refused, former]) held.delete(name);
  }
  for (const name of removed) {
    if (!sent.has(name)) refused.delete(name);
  }
}

/** Whether a resource that the client wants has yet to be sent. */
export function hasUnsent(subscription: Subscription, resources: Resources): boolean {
  for (const name of subscription.wanted.keys()) {
    if (resources.has(name)) return true;
  }
  return false;
}

/** Whether the client has accepted all it wants. */
export function isSettled(subscription: Subscription): boolean {
  const { pending, wanted, refused, alone, quarantine } = subscription;
  return [pending.length, wanted.size, refused.size, alone.size, quarantine.size].every(
    (count) => count === 0,
  );
}
