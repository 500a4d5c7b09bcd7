import { resolve } from "node:path";
import { createHost, type Header, type Host, Module } from "@weft/sdk/host";
import { buildPlugin } from "../../../extensions/sdk/build.ts";
import { buildWith, otherSdks } from "./other-sdks.ts";
import { fastest, startStub } from "./stub-host.ts";

/** One filter, written with one SDK. */
export interface Canary {
  readonly sdk: string;
  readonly wasm: Uint8Array;
}

/** What running the filter costs without a proxy. */
export interface CanaryCost {
  readonly sdk: string;
  /** Of the module, without names and manifest, which no proxy reads. */
  readonly bytes: number;
  /** By open streams, on the stub host. */
  readonly stubNs: readonly number[];
  /** One stream, in the host of the SDK. */
  readonly hostNs: number;
  /** Pages of 64 KiB after all those requests. */
  readonly pages: number;
}

export const OPEN_STREAMS = [1, 100, 1_000];

/** Requests until V8 has compiled all with its optimising compiler. */
const WARM_UP = 20_000;

const ROOT_ID = "canary";
const CONFIGURATION = "any";

/** The filter in each SDK, all of them made to show the same. */
export async function buildCanaries(): Promise<Canary[]> {
  const { wasm } = await buildPlugin(resolve(import.meta.dirname, "weft"));
  const others = (["gcore", "solo"] as const).map((name) => ({
    sdk: `${otherSdks[name].name} ${otherSdks[name].version}`,
    wasm: buildWith(name, resolve(import.meta.dirname, name)),
  }));
  const canaries = [{ sdk: "@weft/sdk", wasm }, ...others];
  checkEqual(canaries);
  return canaries;
}

const REQUEST: readonly Header[] = [
  [":authority", "shop"],
  [":path", "/api/v1/orders?page=2"],
  [":method", "GET"],
  [":scheme", "http"],
  ["x-user", "ann@example.test"],
  ["cookie", "session=0123456789abcdef; theme=dark; canary=always; tz=UTC"],
  ["x-internal", "1"],
];

const RESPONSE: readonly Header[] = [[":status", "200"]];

/** Requests that take each way through the filter. */
const WAYS: readonly (readonly Header[])[] = [
  REQUEST,
  REQUEST.map(([name, value]) => [name, value.replace("always", "never")]),
  REQUEST.map(([name, value]) => [name, name === ":path" ? "/healthz" : value]),
  REQUEST.filter(([name]) => name.startsWith(":")),
];

function start({ wasm, sdk }: Canary): { readonly host: Host; readonly root: number } {
  const host = createHost(wasm);
  const root = host.start(CONFIGURATION, { rootId: ROOT_ID });
  if (root === null) throw new Error(`the filter of ${sdk} refuses its configuration`);
  return { host, root };
}

/** Throws unless all filters make the same of every request and response. */
function checkEqual(canaries: readonly Canary[]): void {
  const [first = "", ...others] = canaries.map((canary) => {
    const { host, root } = start(canary);
    const made = WAYS.map((headers) => {
      const stream = host.openStream(root);
      return [stream.requestHeaders(headers), stream.responseHeaders(RESPONSE)];
    });
    return JSON.stringify(made);
  });
  for (const [i, other] of others.entries()) {
    if (other !== first) throw new Error(`${canaries[i + 1]?.sdk} makes ${other}, not ${first}`);
  }
}

/** Times each filter for so long on the stub host, by open streams, and in the whole host. */
export function timeCanaries(canaries: readonly Canary[], ms: number): CanaryCost[] {
  const pages = canaries.map(() => 0);
  const stubNs = OPEN_STREAMS.map((open) => {
    const stubs = canaries.map(({ wasm }) => startStub(wasm, { text: CONFIGURATION }));
    for (const stub of stubs) {
      for (let i = 1; i < open; i++) stub.open();
      for (let i = 0; i < WARM_UP; i++) stub.serve();
    }
    const times = fastest(
      stubs.map((stub) => stub.serve),
      ms,
    );
    for (const [i, stub] of stubs.entries()) pages[i] = Math.max(pages[i] ?? 0, stub.pages);
    return times;
  });
  const hostNs = fastest(canaries.map(serveInHost), ms);
  return canaries.map(({ sdk, wasm }, i) => ({
    sdk,
    bytes: sizeOf(wasm),
    stubNs: stubNs.map((times) => times[i] ?? 0),
    hostNs: hostNs[i] ?? 0,
    pages: pages[i] ?? 0,
  }));
}

function serveInHost(canary: Canary): () => void {
  const { host, root } = start(canary);
  const serve = () => {
    const stream = host.openStream(root);
    stream.requestHeaders(REQUEST);
    stream.responseHeaders(RESPONSE);
    stream.close();
  };
  for (let i = 0; i < WARM_UP; i++) serve();
  return serve;
}

export function sizeOf(wasm: Uint8Array): number {
  const module = new Module(wasm);
  const sections = ["name", "weft.manifest"].map(
    (section) => Module.customSections(module, section)[0]?.byteLength ?? 0,
  );
  return sections.reduce((rest, bytes) => rest - bytes, wasm.byteLength);
}
