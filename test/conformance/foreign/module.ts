import type { Header } from "@weft/sdk/host";

/** A module of another SDK, and what to send through it. */
export interface ForeignModule {
  /** Its package and what it is: "proxy-wasm 0.1.2 http_headers". */
  readonly id: string;
  /** Its language, and the SDK's package and version. */
  readonly sdk: string;
  /** Who wrote it: the authors of a published package, or we, against the SDK's API. */
  readonly author: "package" | "ours";
  readonly configuration?: string;
  /** Where the module asks for one; its own id, unless told. */
  readonly rootId?: string;
  readonly exchanges: readonly Exchange[];
}

/** One request through the module, and what the world around it does meanwhile. */
export interface Exchange {
  readonly path?: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
  /** What the upstream answers, if the request gets there: 200 and "upstream", unless told. */
  readonly response?: {
    readonly status?: number;
    readonly headers?: readonly Header[];
    readonly body?: string;
  };
  /** What the cluster answers that callouts go to. */
  readonly callout?: string;
  /** Time to let pass before, for ticks. */
  readonly waitMs?: number;
}

/** The cluster that callouts go to: examples of the SDKs call it so. */
export const CALLOUT_CLUSTER = "httpbin";

/** What a host showed of a module. */
export interface Shown {
  readonly isLoaded: boolean;
  /** One entry an exchange: what the upstream saw, if anything, and what the client got. */
  readonly exchanges: readonly string[];
  /** What the plugin said in the VM that served: level and message. */
  readonly logs: readonly string[];
  /** How often it made each hostcall there, WASI's left out: their number hangs on time. */
  readonly calls: readonly string[];
}

/** Every client sends these. */
export const HOST = "foreign";

/** What Envoy puts on messages outside of filters, or what belongs to one connection. */
const HOP =
  /^(:scheme|date|server|connection|keep-alive|transfer-encoding|x-forwarded-proto|x-request-id)$/;

const shown = (headers: readonly Header[]) =>
  headers.flatMap(([name, value]) => (HOP.test(name) ? [] : [`${name.toLowerCase()}=${value}`]));

/** Envoy tells a client of HTTP/1 of every empty body. */
const withoutZero = (headers: readonly Header[]) =>
  headers.filter(([name, value]) => name.toLowerCase() !== "content-length" || value !== "0");

/** What the upstream saw, in the order of names: Envoy keeps that of values alone. */
export function upstreamSaw(start: string, headers: readonly Header[], body: string): string {
  return ["upstream", start, ...shown(headers).sort(), JSON.stringify(body)].join(" ");
}

export const CLIENT_GOT_NOTHING = "client nothing";

export function clientGot(status: string, headers: readonly Header[], body: string): string {
  const all = shown(withoutZero(headers)).sort();
  return ["client", status, ...all, JSON.stringify(body)].join(" ");
}

const TIMES = /\d{4}-\d{2}-\d{2}[ T][\d:.]+(Z| UTC)?/g;
const RANDOM = /tx_id="\w+"/g;

/** A log line without what differs from run to run. */
export function logLine(level: number, message: string): string {
  return `${level} ${message.replaceAll(TIMES, "<time>").replaceAll(RANDOM, "<id>")}`;
}

/** The hostcalls that were made, as "proxy_log 3". */
export function callLines(counts: ReadonlyMap<string, number>): string[] {
  const own = [...counts].filter(([name, count]) => name.startsWith("proxy_") && count > 0);
  return own.map(([name, count]) => `${name} ${count}`).sort();
}
