import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@weft/proto/envoy/config/cluster/v3/cluster_pb.ts";
import { assert } from "../error.ts";
import type { Variant } from "./request.ts";
import type { Snapshot, SnapshotResource } from "./resource.ts";
import { createDiscoveryStream, type Received, type Reply } from "./stream.ts";
import { CLUSTER, DISCOVERY_TYPES, type DiscoveryType } from "./type.ts";

/** Versions by name, by type: `{ CDS: { c1: "1" } }`. */
export type World = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What a scripted client says of one type. */
export interface Say {
  readonly sub?: readonly string[];
  readonly unsub?: readonly string[];
  /** Versions it holds. */
  readonly irv?: Readonly<Record<string, string>>;
  /** SotW: all names it wants. */
  readonly names?: readonly string[];
  readonly version?: string;
  readonly nonce?: string;
  readonly nack?: string;
}

/**
 * A conversation with one stream, for tests. Responses read `CDS c1@1 c2@1 -c3`; a client that
 * answers nothing by itself shows what waits for what.
 */
export function createScript(variant: Variant, options: { readonly aggregated?: boolean } = {}) {
  const stream = createDiscoveryStream({ variant, aggregated: options.aggregated ?? true });
  const nonces = new Map<string, string[]>();
  const versions = new Map<string, string>();
  const names = new Map<string, readonly string[]>();
  const flags: string[] = [];
  let nowMs = 0;
  let revision = 0;
  let received: Received | undefined;
  let snapshot: Snapshot = new Map();

  function flush(): readonly string[] {
    const flushed = stream.flush(nowMs);
    flags.push(...flushed.flags);
    for (const { type, nonce, versionInfo } of flushed.replies) {
      nonces.set(type.short, [...(nonces.get(type.short) ?? []), nonce]);
      versions.set(type.short, versionInfo);
    }
    return flushed.replies.map(show);
  }

  function say(short: string, words: Say = {}): readonly string[] {
    const { nonce = "", nack: refusal } = words;
    const base = { typeUrl: urlOf(short), node: undefined, nonce, refusal };
    if (words.names !== undefined) names.set(short, words.names);
    received = stream.receive(
      variant === "delta"
        ? {
            ...base,
            variant,
            subscribe: words.sub ?? [],
            unsubscribe: words.unsub ?? [],
            versions: new Map(Object.entries(words.irv ?? {})),
          }
        : {
            ...base,
            variant,
            names: names.get(short) ?? [],
            versionInfo: words.version ?? versions.get(short) ?? "",
          },
      nowMs,
    );
    return flush();
  }

  /** Answers the oldest response of a type. */
  function answer(short: string, words: Say = {}): readonly string[] {
    const nonce = nonces.get(short)?.shift();
    assert(nonce !== undefined, `no ${short} response waits for an answer`);
    return say(short, { ...words, nonce });
  }

  return {
    flags,
    say,
    flush,
    ack: answer,
    nack: (short: string, nack: string, words: Say = {}) => answer(short, { ...words, nack }),
    /** Sets the world; types that are not named stay as they are. */
    set(world: World): readonly string[] {
      snapshot = snapshotOf(world, snapshot);
      stream.update(snapshot, ++revision);
      return flush();
    },
    wait(ms: number): readonly string[] {
      nowMs += ms;
      return flush();
    },
    /** The version of the last SotW response of a type. */
    version: (short: string) => versions.get(short) ?? "",
    received: () => received,
    wakeAtMs: stream.wakeAtMs,
    status: stream.status,
  };
}

/** `CDS c1@1 c2@1 -c3`. */
export function show({ type, resources, removed }: Reply): string {
  const upserts = resources.map(({ name, version }) => `${name}@${version}`);
  return [type.short, ...upserts, ...removed.map((name) => `-${name}`)].join(" ");
}

/** A snapshot out of versions; a type that is not named is taken over. */
export function snapshotOf(world: World, before: Snapshot = new Map()): Snapshot {
  const types = Object.entries(world).map(([short, versions]) => {
    const type = typeOf(short);
    const old = before.get(type.url);
    const resources = Object.entries(versions).map(([name, version]) => {
      const same = old?.get(name);
      return [name, same?.version === version ? same : resource(type, name, version)] as const;
    });
    return [type.url, new Map(resources)] as const;
  });
  return new Map([...before, ...types]);
}

function resource(type: DiscoveryType, name: string, version: string): SnapshotResource {
  const value = type === CLUSTER ? encodeCluster(name, version) : Buffer.from(version);
  const body = toBinary(AnySchema, create(AnySchema, { typeUrl: type.url, value }));
  return { name, version, body };
}

/** `static-…` needs nothing to warm, `dns-…` a resolver, any other its endpoints. */
function encodeCluster(name: string, version: string): Uint8Array {
  const { STATIC, STRICT_DNS, EDS } = Cluster_DiscoveryType;
  const kind = name.startsWith("static-") ? STATIC : name.startsWith("dns-") ? STRICT_DNS : EDS;
  const clusterDiscoveryType = { case: "type", value: kind } as const;
  const message = create(ClusterSchema, { name, altStatName: version, clusterDiscoveryType });
  return toBinary(ClusterSchema, message);
}

function urlOf(short: string): string {
  return DISCOVERY_TYPES.find((type) => type.short === short)?.url ?? short;
}

function typeOf(short: string): DiscoveryType {
  const type = DISCOVERY_TYPES.find((candidate) => candidate.short === short);
  assert(type !== undefined, `no type ${short}`);
  return type;
}
