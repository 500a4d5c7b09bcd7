import type { Header } from "../../host/index.ts";
import { readModule } from "../../wasm/index.ts";
import { type Exchange, isTcp } from "../exchange.ts";

/** What a plugin may look for: generated messages are made of it, beside what is hostile to all. */
export interface Dictionary {
  /** Names of headers. */
  readonly names: readonly string[];
  /** Texts for values, bodies and settings. */
  readonly words: readonly string[];
  readonly clusters: readonly string[];
}

/** Words of one kind: the more there are, the less often each is tried. */
const WORDS_MAX = 64;

const NAME = /^[a-z][a-z0-9-]{2,40}$/;
const COMMON_NAMES = ["content-type", "cookie", "authorization", "x-forwarded-for", "user-agent"];

/**
 * Collects words out of exchanges and configurations that the plugin's author has written, and out
 * of the texts in its module: what it compares with stands there.
 */
export function collect(
  wasm: Uint8Array,
  exchanges: readonly Exchange[],
  configurations: readonly unknown[],
): Dictionary {
  const headers = exchanges.flatMap(headersOf);
  const told = [...configurations, ...exchanges.map(({ configuration }) => configuration)];
  const settings = told.flatMap(textsIn);
  const inside = textsOfModule(wasm);
  const names = [...headers.map(([name]) => name), ...settings, ...inside, ...COMMON_NAMES];
  const words = [...headers.map(([, value]) => value), ...settings, ...inside];
  const clusters = exchanges.flatMap(({ upstreams = {} }) => Object.keys(upstreams));
  return {
    names: first(names.map((name) => name.toLowerCase()).filter((name) => NAME.test(name))),
    words: first(words),
    clusters: first([...clusters, ...settings.filter((text) => /^[\w.|:-]{1,60}$/.test(text))]),
  };
}

function first(words: readonly string[]): string[] {
  return [...new Set(words)].slice(0, WORDS_MAX);
}

function headersOf(exchange: Exchange): readonly Header[] {
  if (isTcp(exchange)) return [];
  const answers = Object.values(exchange.upstreams ?? {}).flat();
  const own = [exchange.request, ...(exchange.response === undefined ? [] : [exchange.response])];
  return [...own, ...answers].flatMap(({ headers = [] }) => headers);
}

/** Every text in a value, names of fields included. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [name, ...textsIn(item)]);
}

/** The number of the section that holds what memory begins with. */
const DATA = 11;

/** Texts of printable ASCII; shorter ones would mostly be numbers. */
const UTF8 = /[\x20-\x7e]{3,60}/g;
const UTF16 = /(?:[\x20-\x7e]\0){3,60}/g;

/** Names of files and functions: nothing that a plugin compares with. */
const OWN = /^~lib|^assembly\/|\.ts$|^Index out of range$|^(Invalid|Unexpected|Allocation) /;

function textsOfModule(wasm: Uint8Array): string[] {
  const found = readModule(wasm)
    .sections.filter(({ id }) => id === DATA)
    .map(({ start, end }) => Buffer.from(wasm.subarray(start, end)).toString("latin1"))
    .flatMap((text) => [...(text.match(UTF8) ?? []), ...(text.match(UTF16) ?? [])])
    .map((text) => text.replaceAll("\0", "").trim());
  return found.filter((text) => !OWN.test(text));
}
