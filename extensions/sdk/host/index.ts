// A Proxy-Wasm host on Node's WebAssembly, to run plugins in tests. It offers what the SDK uses
// of ABI 0.2.1, with Envoy's behaviour where that differs from the specification.

export type { Header } from "./header-map.ts";
export { createHost, type Host, type LogLine } from "./host.ts";
export type { Stream } from "./stream.ts";
export { Instance, Module } from "./webassembly.ts";
