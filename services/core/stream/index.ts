// The discovery protocol: one machine for every server of xDS, and its binding to http2.

export {
  type DeltaRequest,
  type DiscoveryRequest,
  readRequest,
  type SotwRequest,
  type Variant,
} from "./request.ts";
export type { Resources, Snapshot, SnapshotResource } from "./resource.ts";
export { createResponseEncoder, type ResponseEncoder } from "./response.ts";
export {
  createDiscoveryServer,
  type DiscoveryServer,
  type DiscoverySource,
  discoveryServerOptions,
  type OpenStream,
  type StreamListener,
} from "./serve.ts";
export {
  createDiscoveryStream,
  type DiscoveryStream,
  type Flushed,
  type Received,
  type Reply,
  type StreamOptions,
} from "./stream.ts";
export type { StreamStatus, TypeStatus } from "./stream-status.ts";
export type { Answer } from "./subscription.ts";
export {
  CLUSTER,
  DISCOVERY_TYPES,
  type DiscoveryType,
  discoveryType,
  ENDPOINT,
  EXTENSION,
  LISTENER,
  ROUTE,
  RUNTIME,
  SCOPED_ROUTE,
  SECRET,
} from "./type.ts";
