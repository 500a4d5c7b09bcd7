import { createHash } from "node:crypto";
import { Module } from "../host/webassembly.ts";
import { nameBytes, u32Bytes } from "../wasm/encode.ts";
import { MANIFEST_SECTION } from "../wasm/inspect.ts";
import { SectionId } from "../wasm/module.ts";
import type { PluginFacts } from "./transform.ts";

/** What a module says of itself in its custom section `weft.manifest`, as JSON. */
export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  /** The version of the SDK it was built with. */
  readonly sdk: string;
  readonly roots: readonly string[];
  /** SHA-256, in hexadecimal, of the JSON Schema of its configuration. */
  readonly schemaSha256: string;
  /** The hostcalls it makes and the callbacks it has: what a capability restriction must allow. */
  readonly capabilities: readonly string[];
  readonly metrics: PluginFacts["metrics"];
}

/** Exports that hosts do not restrict. */
const UNRESTRICTED = /^(proxy_abi_version_\w+|proxy_on_memory_allocate|malloc|memory|_initialize)$/;

/** What a module calls of the host, and what the host calls of it, sorted. */
export function capabilitiesOf(wasm: Uint8Array): string[] {
  const module = new Module(wasm);
  const imports = Module.imports(module).map(({ name }) => name);
  const exports = Module.exports(module).map(({ name }) => name);
  return [...imports, ...exports.filter((name) => !UNRESTRICTED.test(name))].sort();
}

/** The module with the manifest behind its other sections. */
export function withManifest(wasm: Uint8Array, manifest: PluginManifest): Uint8Array {
  const content = Buffer.from(JSON.stringify(manifest));
  const body = Buffer.from([...nameBytes(MANIFEST_SECTION), ...content]);
  const head = Buffer.from([SectionId.custom, ...u32Bytes(body.byteLength)]);
  return new Uint8Array(Buffer.concat([wasm, head, body]));
}

/** The manifest of a module, or null if it has none. */
export function manifestOf(wasm: Uint8Array): PluginManifest | null {
  const [section] = Module.customSections(new Module(wasm), MANIFEST_SECTION);
  return section === undefined ? null : JSON.parse(Buffer.from(section).toString());
}

/** The text of a schema, as it is written beside the module and hashed. */
export function schemaText(roots: PluginFacts["roots"]): string {
  const [first] = roots;
  const all = Object.fromEntries(roots.map(({ id, schema }) => [id, schema]));
  return `${JSON.stringify(roots.length === 1 ? first?.schema : all, null, 2)}\n`;
}

export function sha256Of(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
