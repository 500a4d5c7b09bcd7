import { Module } from "@weft/sdk/host";

/** What a module can be, as its exports and its manifest say. */
export interface ModuleKind {
  /** Whether it filters connections: callbacks of requests come first where a module has both. */
  readonly kind: "http" | "tcp";
  /** Its root ids; none for a module that says nothing of them. */
  readonly roots: readonly string[];
}

const TCP_CALLBACKS = new Set([
  "proxy_on_new_connection",
  "proxy_on_downstream_data",
  "proxy_on_upstream_data",
  "proxy_on_downstream_connection_close",
  "proxy_on_upstream_connection_close",
]);

const HTTP_CALLBACK = /^proxy_on_(request|response)_(headers|body|trailers|metadata)$/;

/** Bytes that are no module are of the usual kind: it is for Envoy to say what it thinks of them. */
export function kindOf(wasm: Uint8Array): ModuleKind {
  const module = compile(wasm);
  if (module === null) return { kind: "http", roots: [] };
  const names = Module.exports(module).map(({ name }) => name);
  const isHttp = names.some((name) => HTTP_CALLBACK.test(name));
  const isTcp = !isHttp && names.some((name) => TCP_CALLBACKS.has(name));
  const [section] = Module.customSections(module, "weft.manifest");
  const manifest = section === undefined ? {} : JSON.parse(Buffer.from(section).toString());
  return { kind: isTcp ? "tcp" : "http", roots: manifest.roots ?? [] };
}

function compile(wasm: Uint8Array): Module | null {
  try {
    return new Module(wasm);
  } catch {
    return null; // as the caller is told
  }
}
