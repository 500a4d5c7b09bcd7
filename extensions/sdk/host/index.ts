// A Proxy-Wasm host on Node's WebAssembly, to run plugins in tests and before they are published:
// ABI 0.1.0, 0.2.0 and 0.2.1 with WASI, on a virtual clock, with scripted upstreams. It behaves as
// Envoy 1.40 does, or as the specification says (`profile`).

export type { Coverage } from "../wasm/coverage.ts";
export { ABI_VERSIONS, type AbiVersion, callbackType, findCall } from "./abi.ts";
export type { Backtrace, Frame } from "./backtrace.ts";
export type { Connection } from "./connection.ts";
export type { LocalResponse } from "./context.ts";
export type { Cost } from "./costs.ts";
export { Died } from "./died.ts";
export type { Around } from "./exports.ts";
export type { Flow } from "./flow.ts";
export type { Header } from "./header-map.ts";
export { createHost, type Host, type HostOptions, type PluginNames } from "./host.ts";
export { LoadError } from "./link.ts";
export { decodePairs, encodePairs } from "./pairs.ts";
export type { Profile, ProfileName } from "./profile.ts";
export type { Properties, Property } from "./properties.ts";
export {
  createProxy,
  createWorker,
  type FailurePolicy,
  type Outcome,
  type Proxy,
  type ProxyOptions,
  RefusedError,
  type Worker,
} from "./proxy.ts";
export type { Snapshot } from "./snapshot.ts";
export { BufferKind, Errno, LogLevel, MapKind, Status } from "./status.ts";
export type { Stream, StreamOptions } from "./stream.ts";
export { Trap } from "./trap.ts";
export type { CalloutRequest, CalloutResponse, GrpcAnswer, GrpcRequest } from "./upstreams.ts";
export { Instance, Module } from "./webassembly.ts";
export {
  createWorld,
  type Fault,
  type LogLine,
  upstreamOf,
  type World,
  type WorldOptions,
} from "./world.ts";
