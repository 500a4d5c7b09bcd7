import type { Variant } from "./request.ts";
import type { SnapshotResource } from "./resource.ts";
import type { Reply } from "./stream.ts";
import { bytesField, stringField } from "./wire.ts";

/** Turns replies into messages. Shared by all streams of a server, as are the bytes it makes. */
export interface ResponseEncoder {
  /** The parts of one encoded response, to be written one after another. */
  encode(variant: Variant, reply: Reply): readonly Buffer[];
}

/** DeltaDiscoveryResponse and DiscoveryResponse (discovery.proto). Fields come in any order. */
const FIELD = {
  versionInfo: 1,
  resources: 2,
  typeUrl: 4,
  nonce: 5,
  removedResources: 6,
  sotwControlPlane: 6,
  deltaControlPlane: 7,
} as const;

/** Resource (discovery.proto). */
const RESOURCE = { version: 1, resource: 2, name: 3 } as const;

/** The field of each resource, made once: all streams send the same bytes. */
const fields = {
  delta: new WeakMap<SnapshotResource, Buffer>(),
  sotw: new WeakMap<SnapshotResource, Buffer>(),
} as const satisfies Record<Variant, WeakMap<SnapshotResource, Buffer>>;

interface Body {
  readonly reply: Reply;
  readonly bytes: Buffer;
}

/**
 * @param identifier names this server to the client, in `control_plane.identifier`.
 */
export function createResponseEncoder(identifier: string): ResponseEncoder {
  const controlPlane = stringField(1, identifier);
  const tails: Record<Variant, Buffer> = {
    sotw: bytesField(FIELD.sotwControlPlane, controlPlane),
    delta: bytesField(FIELD.deltaControlPlane, controlPlane),
  };
  // The proxies of a scope get the same response one after another: the last one of each type is
  // likely the next one, but for the nonce.
  const last = new Map<string, Body>();
  return {
    encode(variant, reply) {
      const key = `${variant}${reply.type.short}`;
      const found = last.get(key);
      const shared = found !== undefined && isSameBody(found.reply, reply) ? found : undefined;
      const bytes = shared?.bytes ?? encodeBody(variant, reply, tails[variant]);
      if (shared === undefined) last.set(key, { reply, bytes });
      return [bytes, stringField(FIELD.nonce, reply.nonce)];
    },
  };
}

function encodeBody(variant: Variant, reply: Reply, tail: Buffer): Buffer {
  return Buffer.concat([
    ...reply.resources.map((resource) => resourceField(variant, resource)),
    ...reply.removed.map((name) => stringField(FIELD.removedResources, name)),
    ...(variant === "sotw" ? [stringField(FIELD.versionInfo, reply.versionInfo)] : []),
    stringField(FIELD.typeUrl, reply.type.url),
    tail,
  ]);
}

function resourceField(variant: Variant, resource: SnapshotResource): Buffer {
  const known = fields[variant].get(resource);
  if (known !== undefined) return known;
  const field =
    variant === "sotw"
      ? bytesField(FIELD.resources, resource.body)
      : bytesField(
          FIELD.resources,
          stringField(RESOURCE.version, resource.version),
          bytesField(RESOURCE.resource, resource.body),
          stringField(RESOURCE.name, resource.name),
        );
  fields[variant].set(resource, field);
  return field;
}

function isSameBody(a: Reply, b: Reply): boolean {
  return (
    a.versionInfo === b.versionInfo &&
    isSameList(a.resources, b.resources) &&
    isSameList(a.removed, b.removed)
  );
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
