import type { SnapshotResource } from "./resource.ts";
import { eachField } from "./wire.ts";

/** How a cluster finds its endpoints, as far as the order of a stream depends on it. */
export interface ClusterDiscovery {
  /** The ClusterLoadAssignment it warms on; undefined if it does not use EDS. */
  readonly endpoints: string | undefined;
  /** It warms on a resolver, which may take as long as its time-outs. */
  readonly dns: boolean;
}

/** Cluster.DiscoveryType (cluster.proto). */
const STRICT_DNS = 1;
const LOGICAL_DNS = 2;
const EDS = 3;

const known = new WeakMap<SnapshotResource, ClusterDiscovery>();

/** Reads it out of the encoded Cluster, once for each resource. */
export function clusterDiscovery(resource: SnapshotResource): ClusterDiscovery {
  let discovery = known.get(resource);
  if (discovery === undefined) {
    discovery = readCluster(resource);
    known.set(resource, discovery);
  }
  return discovery;
}

function readCluster(resource: SnapshotResource): ClusterDiscovery {
  let type = 0;
  let serviceName = "";
  let custom = "";
  eachField(anyValue(Buffer.from(resource.body)), ({ number, varint, bytes }) => {
    if (number === 2) type = varint;
    else if (number === 3) serviceName = stringOf(bytes, 2);
    else if (number === 38) custom = stringOf(bytes, 1);
  });
  const endpoints = serviceName === "" ? resource.name : serviceName;
  return {
    endpoints: type === EDS && custom === "" ? endpoints : undefined,
    dns: type === STRICT_DNS || type === LOGICAL_DNS || custom !== "",
  };
}

/** Field 2 of a google.protobuf.Any. */
function anyValue(any: Buffer): Buffer {
  let value: Buffer = Buffer.alloc(0);
  eachField(any, ({ number, bytes }) => {
    if (number === 2) value = bytes;
  });
  return value;
}

function stringOf(message: Buffer, field: number): string {
  let value = "";
  eachField(message, ({ number, bytes }) => {
    if (number === field) value = bytes.toString("utf8");
  });
  return value;
}
