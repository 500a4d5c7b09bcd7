import { createHash } from "node:crypto";
import { WeftError } from "../error.ts";
import { clusterDiscovery } from "./cluster.ts";
import { type Batch, collect, fillUp } from "./collect.ts";
import { createGate, type Gate, isOpen, opensAtMs } from "./gate.ts";
import type { DiscoveryRequest, Variant } from "./request.ts";
import {
  changedNames,
  NO_RESOURCES,
  type Resources,
  type Snapshot,
  type SnapshotResource,
} from "./resource.ts";
import { describeStream, type StreamStatus } from "./stream-status.ts";
import {
  type Answer,
  createSubscription,
  hasUnsent,
  isSettled,
  isSubscribed,
  noteChanges,
  type Subscription,
  subscribeDelta,
  subscribeSotw,
  takeAnswer,
  want,
} from "./subscription.ts";
import {
  CLUSTER,
  DISCOVERY_TYPES,
  type DiscoveryType,
  discoveryType,
  ENDPOINT,
  EXTENSION,
  LISTENER,
  ROUTE,
  SCOPED_ROUTE,
} from "./type.ts";
import { rescue, type Wedge, wedgedAtMs } from "./wedge.ts";

/** A response to be sent. */
export interface Reply {
  readonly type: DiscoveryType;
  readonly nonce: string;
  readonly resources: readonly SnapshotResource[];
  /** Delta only. */
  readonly removed: readonly string[];
  /** SotW only: of the whole set. */
  readonly versionInfo: string;
}

/** What is worth telling of a request. */
export type Received =
  | { readonly case: "answer"; readonly answer: Answer }
  | { readonly case: "unknown_type"; readonly typeUrl: string };

export interface Flushed {
  readonly replies: readonly Reply[];
  /** Sentences about limits that had to open a gate, and about clusters that wedge the client. */
  readonly flags: readonly string[];
}

/**
 * One stream of the discovery protocol, without its socket and its clock: requests and snapshots
 * go in, responses come out. The same machine serves both encodings, all types together or one.
 */
export interface DiscoveryStream {
  /** @throws WeftError invalid `xds.bad_request`, which ends the stream. */
  receive(request: DiscoveryRequest, nowMs: number): Received | undefined;
  /** Sets what this stream's proxy should have. Nothing is answered before the first one. */
  update(snapshot: Snapshot, revision: number): void;
  /** Takes what may be sent now. Not called while the client reads nothing, changes coalesce. */
  flush(nowMs: number): Flushed;
  /** When `flush` is to be called again though nothing came in; undefined: not at all. */
  wakeAtMs(): number | undefined;
  status(): StreamStatus;
}

export interface StreamOptions {
  readonly variant: Variant;
  /** ADS: several types on one stream, so that they can be put in order. */
  readonly aggregated: boolean;
}

/** How long a change waits for what it depends on: below Envoy's own 15 s, above a slow warm-up. */
const GATE_MS_MAX = 10_000;

/** Envoy withholds the ACK while clusters warm; one more response may follow, the rest coalesce. */
const CDS_IN_FLIGHT_MAX = 2;

/** Requests held until the first snapshot: one of each type and a few changes of mind. */
const EARLY_REQUESTS_MAX = 64;

/** Unknown types that are told of; the others are passed over in silence. */
const UNKNOWN_TYPES_MAX = 16;

/** Digits of a set's version, as of a resource's: 66 bits. */
const VERSION_CHARS = 11;

interface StreamState extends StreamOptions {
  readonly subscriptions: Map<string, Subscription>;
  snapshot: Snapshot | undefined;
  revision: number;
  ackedRevision: number;
  early: DiscoveryRequest[];
  /** Whether the first request was for endpoints: the client was warming when it lost its server. */
  warming: boolean | undefined;
  readonly unknown: Set<string>;
  /** Assignments that clusters wait for: sent or asked for after the cluster, and acknowledged. */
  readonly awaited: Set<string>;
  /** Listeners and routes wait for clusters and endpoints. */
  readonly make: Gate;
  /** Removals wait for listeners and routes. */
  readonly break: Gate;
  readonly wedge: Wedge;
  nonces: number;
  resourcesSent: number;
  wakeAtMs: number | undefined;
}

export function createDiscoveryStream(options: StreamOptions): DiscoveryStream {
  const state: StreamState = {
    ...options,
    subscriptions: new Map(),
    snapshot: undefined,
    revision: 0,
    ackedRevision: 0,
    early: [],
    warming: undefined,
    unknown: new Set(),
    awaited: new Set(),
    make: createGate(GATE_MS_MAX),
    break: createGate(GATE_MS_MAX),
    wedge: { attempts: 0 },
    nonces: 0,
    resourcesSent: 0,
    wakeAtMs: undefined,
  };
  return {
    receive: (request, nowMs) => receive(state, request, nowMs),
    update: (snapshot, revision) => update(state, snapshot, revision),
    flush: (nowMs) => flush(state, nowMs),
    wakeAtMs: () => state.wakeAtMs,
    status: () => describeStream({ ...state, settled: isAllSettled(state) }),
  };
}

function receive(
  state: StreamState,
  request: DiscoveryRequest,
  nowMs: number,
): Received | undefined {
  const type = discoveryType(request.typeUrl);
  if (type === undefined) return noteUnknown(state, request.typeUrl);
  state.warming ??= type === ENDPOINT;
  if (state.snapshot === undefined) {
    if (state.early.length >= EARLY_REQUESTS_MAX) {
      throw new WeftError(
        "invalid",
        "xds.bad_request",
        "too many requests before the first answer",
      );
    }
    state.early.push(request);
    return undefined;
  }
  const known = state.subscriptions.get(type.url);
  const subscription = known ?? createSubscription(type);
  state.subscriptions.set(type.url, subscription);
  const first = known === undefined;
  const answer = first ? undefined : acknowledge(state, subscription, request, nowMs);
  const resources = state.snapshot.get(type.url) ?? NO_RESOURCES;
  const resend = type === ENDPOINT && state.warming === true;
  const options = { resources, first, resend };
  if (request.variant === "delta") subscribeDelta(subscription, request, options);
  else {
    const versionInfo = setVersion(resources);
    subscribeSotw(subscription, request, { ...options, versionInfo });
  }
  if (type === ENDPOINT) dropUnasked(state, subscription, request);
  if (isAllSettled(state)) state.ackedRevision = state.revision;
  return answer === undefined ? undefined : { case: "answer", answer };
}

function noteUnknown(state: StreamState, typeUrl: string): Received | undefined {
  if (typeUrl === "") {
    throw new WeftError("invalid", "xds.bad_request", "the request names no type_url");
  }
  if (state.unknown.has(typeUrl) || state.unknown.size >= UNKNOWN_TYPES_MAX) return undefined;
  state.unknown.add(typeUrl);
  return { case: "unknown_type", typeUrl };
}

function acknowledge(
  state: StreamState,
  subscription: Subscription,
  request: DiscoveryRequest,
  nowMs: number,
): Answer | undefined {
  if (request.nonce === "") return undefined;
  const { type } = subscription;
  const splits = state.variant === "delta" || !type.complete;
  const { nonce, refusal } = request;
  const answer = takeAnswer(subscription, { nonce, refusal, nowMs, splits });
  if (answer === undefined) return undefined;
  if (type === CLUSTER) state.wedge.attempts = 0;
  if (type === ENDPOINT) for (const name of answer.names) state.awaited.delete(name);
  return answer;
}

/** An assignment that the client no longer asks for is none that it waits for. */
function dropUnasked(
  state: StreamState,
  subscription: Subscription,
  request: DiscoveryRequest,
): void {
  if (request.variant === "delta") {
    for (const name of request.unsubscribe) state.awaited.delete(name);
  } else if (request.nonce !== "") {
    for (const name of state.awaited) {
      if (subscription.status.acks > 0 && !isSubscribed(subscription, name)) {
        state.awaited.delete(name);
      }
    }
  }
}

function update(state: StreamState, snapshot: Snapshot, revision: number): void {
  const before = state.snapshot;
  state.snapshot = snapshot;
  state.revision = revision;
  if (before === undefined) {
    const { early } = state;
    state.early = [];
    for (const request of early) receive(state, request, 0);
    return;
  }
  for (const [url, subscription] of state.subscriptions) {
    const old = before.get(url) ?? NO_RESOURCES;
    noteChanges(subscription, changedNames(old, snapshot.get(url) ?? NO_RESOURCES), old);
  }
}

function flush(state: StreamState, nowMs: number): Flushed {
  const replies: Reply[] = [];
  const flags: string[] = [];
  if (state.snapshot === undefined) return { replies, flags };
  freeWedged(state, nowMs, { replies, flags });
  for (const type of DISCOVERY_TYPES) {
    const changes = !type.gated || passes(state, "make", { nowMs, flags });
    respond(state, type, { nowMs, replies, changes, removals: type.gated && changes });
  }
  if (passes(state, "break", { nowMs, flags })) {
    for (const type of DISCOVERY_TYPES) {
      const removals = type === CLUSTER || !isLeaving(state);
      respond(state, type, { nowMs, replies, changes: !type.gated, removals });
    }
  }
  if (isAllSettled(state)) state.ackedRevision = state.revision;
  state.wakeAtMs = nextWake(state, nowMs);
  return { replies, flags };
}

interface RespondOptions {
  readonly nowMs: number;
  readonly replies: Reply[];
  readonly changes: boolean;
  readonly removals: boolean;
}

/** Puts the next response of a type behind the others, if it may have one and has something. */
function respond(state: StreamState, type: DiscoveryType, options: RespondOptions): void {
  const subscription = state.subscriptions.get(type.url);
  if (subscription === undefined || !hasRoom(state, subscription)) return;
  const { changes, removals } = options;
  const gates = { changes, removals };
  const resources = resourcesOf(state, type);
  const batch = collect(subscription, state.variant, { resources, gates });
  if (batch !== undefined) options.replies.push(send(state, subscription, batch, options.nowMs));
}

function send(
  state: StreamState,
  subscription: Subscription,
  { upserts, removed, unchanged }: Batch,
  nowMs: number,
): Reply {
  const { type, pending } = subscription;
  const nonce = (++state.nonces).toString(36);
  const versions = new Map(upserts.map(({ name, version }) => [name, version]));
  pending.push({ nonce, upserts: versions, removed, sentAtMs: nowMs });
  if (type === CLUSTER) oweEndpoints(state, upserts);
  const resources = unchanged.length === 0 ? upserts : [...upserts, ...unchanged];
  state.resourcesSent += resources.length;
  const versionInfo = state.variant === "sotw" ? versionSent(state, subscription) : "";
  const removes = state.variant === "delta" ? removed : [];
  return { type, nonce, resources, removed: removes, versionInfo };
}

/**
 * A cluster that was sent warms only on an assignment that comes after it, and Envoy does not ask
 * again for one it has subscribed to.
 */
function oweEndpoints(state: StreamState, clusters: readonly SnapshotResource[]): void {
  const endpoints = state.subscriptions.get(ENDPOINT.url);
  for (const cluster of clusters) {
    const name = clusterDiscovery(cluster).endpoints;
    if (name === undefined) continue;
    if (state.aggregated) state.awaited.add(name);
    if (endpoints !== undefined && isSubscribed(endpoints, name))
      want(endpoints, name, "requested");
  }
}

/** One response is in flight; of clusters a second one, once the first one's endpoints are in. */
function hasRoom(state: StreamState, subscription: Subscription): boolean {
  const inFlight = subscription.pending.length;
  if (inFlight === 0) return true;
  if (subscription.type !== CLUSTER || !state.aggregated) return false;
  return inFlight < CDS_IN_FLIGHT_MAX && subscription.alone.size === 0 && isFed(state);
}

/** Whether the endpoints of all clusters that were sent are acknowledged. */
function isFed(state: StreamState): boolean {
  if (state.awaited.size > 0) return false;
  const endpoints = state.subscriptions.get(ENDPOINT.url);
  if (endpoints === undefined) return true;
  return endpoints.pending.length === 0 && !hasUnsent(endpoints, resourcesOf(state, ENDPOINT));
}

function passes(
  state: StreamState,
  name: "make" | "break",
  { nowMs, flags }: { readonly nowMs: number; readonly flags: string[] },
): boolean {
  if (!state.aggregated) return true;
  const gate = state[name];
  const view =
    name === "make"
      ? { ready: isMade(state), waiting: hasGatedChanges(state), nowMs }
      : { ready: isMade(state) && isRouted(state), waiting: isBreaking(state), nowMs };
  const opened = isOpen(gate, view);
  if (opened === "forced" && !gate.flagged) {
    gate.flagged = true;
    const what = name === "make" ? "listeners and routes" : "removals";
    const whom = name === "make" ? "clusters and endpoints" : "listeners and routes";
    flags.push(`${what} went after ${gate.limitMs} ms, before the proxy had accepted its ${whom}`);
  }
  return opened !== "closed";
}

/** Whether listeners and routes may point at every cluster there is. */
function isMade(state: StreamState): boolean {
  const clusters = state.subscriptions.get(CLUSTER.url);
  const unsent = clusters !== undefined && hasUnsent(clusters, resourcesOf(state, CLUSTER));
  return !unsent && isFed(state);
}

/** Whether the proxy has accepted all listeners and routes, so that nothing points at what leaves. */
function isRouted(state: StreamState): boolean {
  return [LISTENER, ROUTE, SCOPED_ROUTE, EXTENSION].every((type) => {
    const subscription = state.subscriptions.get(type.url);
    if (subscription === undefined) return true;
    const { pending, refused } = subscription;
    if (pending.length > 0 || refused.size > 0) return false;
    return !hasUnsent(subscription, resourcesOf(state, type));
  });
}

function hasGatedChanges(state: StreamState): boolean {
  return [...state.subscriptions.values()].some(
    ({ type, wanted }) => type.gated && wanted.size > 0,
  );
}

/** Whether removals are next: what they wait for has been sent. */
function isBreaking(state: StreamState): boolean {
  if (hasGatedChanges(state)) return false;
  return [...state.subscriptions.values()].some(({ type, wanted }) => {
    const resources = resourcesOf(state, type);
    return !type.gated && [...wanted.keys()].some((name) => !resources.has(name));
  });
}

/** Whether clusters are on their way out: once they are gone, the proxy drops what they used. */
function isLeaving(state: StreamState): boolean {
  const clusters = state.subscriptions.get(CLUSTER.url);
  return clusters !== undefined && clusters.pending.length + clusters.wanted.size > 0;
}

function freeWedged(
  state: StreamState,
  nowMs: number,
  { replies, flags }: { readonly replies: Reply[]; readonly flags: string[] },
): void {
  const at = wedgeDue(state);
  const clusters = state.subscriptions.get(CLUSTER.url);
  if (at === undefined || nowMs < at || clusters === undefined) return;
  const resources = resourcesOf(state, CLUSTER);
  const { restored, removed, culprit } = rescue(state.wedge, clusters, resources);
  const batch: Batch = { upserts: [...restored], removed: [...removed], unchanged: [] };
  if (state.variant === "sotw") fillUp(clusters, batch, resources);
  replies.push(send(state, clusters, batch, nowMs));
  const taken = [...restored.map(({ name }) => name), ...removed];
  flags.push(
    culprit === undefined
      ? `the proxy answers no clusters; took back ${taken.length} to find the one at fault`
      : `cluster ${culprit} wedges the proxy and is held back until it changes`,
  );
}

function wedgeDue(state: StreamState): number | undefined {
  const clusters = state.subscriptions.get(CLUSTER.url);
  if (!state.aggregated || clusters === undefined || !isFed(state)) return undefined;
  return wedgedAtMs(state.wedge, clusters, resourcesOf(state, CLUSTER));
}

function nextWake(state: StreamState, nowMs: number): number | undefined {
  const times = [opensAtMs(state.make, nowMs), opensAtMs(state.break, nowMs), wedgeDue(state)];
  const due = times.filter((time) => time !== undefined);
  return due.length === 0 ? undefined : Math.min(...due);
}

function resourcesOf({ snapshot }: StreamState, type: DiscoveryType): Resources {
  return snapshot?.get(type.url) ?? NO_RESOURCES;
}

/** A proxy that has not asked for its listeners yet is not settled, whatever it has accepted. */
function isAllSettled(state: StreamState): boolean {
  if (state.snapshot === undefined || state.awaited.size > 0) return false;
  const asked = !state.aggregated || state.subscriptions.has(LISTENER.url);
  if (!asked && resourcesOf(state, LISTENER).size > 0) return false;
  return state.subscriptions.size > 0 && [...state.subscriptions.values()].every(isSettled);
}

const setVersions = new WeakMap<Resources, string>();

/** The version of a complete set, from the versions of its resources. */
function setVersion(resources: Resources): string {
  let version = setVersions.get(resources);
  if (version === undefined) {
    version = hashVersions([...resources.values()].map(({ name, version }) => [name, version]));
    setVersions.set(resources, version);
  }
  return version;
}

/** The version of what the client has once it takes the response: not the newest set if part of it waits. */
function versionSent(state: StreamState, subscription: Subscription): string {
  const { type, wanted, quarantine, sent } = subscription;
  const partial = type.complete && wanted.size + quarantine.size > 0;
  return partial ? hashVersions([...sent]) : setVersion(resourcesOf(state, type));
}

function hashVersions(entries: readonly (readonly [string, string])[]): string {
  const hash = createHash("sha256");
  const sorted = entries.map(([name, version]) => `${name}\0${version}\n`).sort();
  for (const entry of sorted) hash.update(entry);
  return hash.digest("base64url").slice(0, VERSION_CHARS);
}
