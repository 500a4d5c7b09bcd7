import fc, { type Arbitrary } from "fast-check";
import type { Header } from "../../host/index.ts";
import type {
  Chunk,
  Exchange,
  ForcedStatus,
  HttpExchange,
  Message,
  TcpExchange,
  UpstreamAnswer,
} from "../exchange.ts";
import { chunkOf } from "../exchange.ts";
import type { Dictionary } from "./dictionary.ts";

/** Beyond what an arena, a view table or a small buffer holds. */
const LONG = "long ".repeat(2_000);

/** Texts that are hostile to whoever reads texts: ends, quotes, escapes, controls, lengths. */
const HOSTILE = [
  ...["", " ", ",", ";", "=", ":", "/", "\\", '"', '"x', "%", "%0", "%zz", "%00", "..", "*", "?"],
  ...["\u0000", "\t", "\r\nx: y", "é", "𝄞", "\ud800", "-", "-1", "0", "00", "1e9", "0x1", "NaN"],
  ...["18446744073709551616", "-9223372036854775809", "null", "{}", "[", "]", '{"a":', "<a", "</"],
  ...["a=b; a=c; =d; e", "Bearer ", "Basic !!!", "::1", "256.1.1.1", "a,,b", "x".repeat(257), LONG],
];

/** Words, words with something hostile around them, and what no word is made of. */
function textOf(words: readonly string[]): Arbitrary<string> {
  const hostile = fc.constantFrom(...HOSTILE);
  const any = fc.string({ maxLength: 24, unit: "binary" });
  if (words.length === 0) return fc.oneof(hostile, any);
  const word = fc.constantFrom(...words);
  const bent = fc
    .tuple(word, hostile, fc.constantFrom(...BENDS))
    .map(([text, other, bend]) => bend(text, other));
  return fc.oneof({ weight: 4, arbitrary: word }, bent, hostile, any);
}

const BENDS: readonly ((text: string, other: string) => string)[] = [
  (text, other) => text + other,
  (text, other) => other + text,
  (text) => text.toUpperCase(),
  (text) => text.slice(1),
  (text) => text.slice(0, -1),
];

/** Names as clients send them: Envoy lets no others through. */
function nameOf({ names }: Dictionary): Arbitrary<string> {
  const any = fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,20}$/);
  return names.length === 0
    ? any
    : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, any);
}

/** Some of them are there more than once. */
function headersOf(dictionary: Dictionary, most: number): Arbitrary<Header[]> {
  const header = fc.tuple(
    nameOf(dictionary),
    textOf(dictionary.words),
    fc.integer({ min: 1, max: 3 }),
  );
  return fc
    .array(header, { maxLength: most })
    .map((all) => all.flatMap(([name, value, times]) => Array<Header>(times).fill([name, value])));
}

const METHODS = ["GET", "POST", "PUT", "OPTIONS", "HEAD", "BREW", ""];
const PATHS = ["/", "/a?b=c&d", "", "*", "//", "/%2e%2e/", "/?", `/${"a".repeat(5_000)}`];
const HOSTS = ["shop.example.com", "shop.example.com:8443", "", "[::1]:80", "SHOP", ".", "a..b"];
const TYPES = ["application/json", "text/html", "text/plain", "application/grpc", "TEXT/HTML;", ""];
const STATUSES = ["200", "204", "301", "404", "500", "503", "", "abc", "99999999999"];

/** What a message begins with; sometimes a part of it is missing. */
function leading(parts: readonly (readonly [string, readonly string[]])[]): Arbitrary<Header[]> {
  const headers = parts.map(([name, values]) => {
    const present = fc.constantFrom(...values).map((value): Header[] => [[name, value]]);
    const usual = fc.constant<Header[]>([[name, values[0] ?? ""]]);
    return fc.oneof(
      { withCrossShrink: true },
      { weight: 8, arbitrary: usual },
      { weight: 4, arbitrary: present },
      { weight: 1, arbitrary: fc.constant<Header[]>([]) },
    );
  });
  return fc.tuple(...headers).map((all) => all.flat());
}

/** Pieces of a body: words cut in two, JSON, markup, bytes that are no text; also empty ones. */
export function bodyOf({ words }: Dictionary): Arbitrary<Chunk[]> {
  const text = textOf(words);
  const json = fc.dictionary(text, text, { maxKeys: 3 }).map((value) => JSON.stringify(value));
  const bytes = fc.uint8Array({ maxLength: 24 }).map(chunkOf);
  const piece = fc.oneof<Arbitrary<Chunk>[]>(text.map(chunk), json.map(chunk), bytes);
  return fc.array(piece, { maxLength: 5 });
}

/** As it is on the wire: half of a surrogate pair is not. */
const chunk = (text: string): Chunk => chunkOf(Buffer.from(text));

function messageOf(
  dictionary: Dictionary,
  parts: readonly (readonly [string, readonly string[]])[],
): Arbitrary<Message> {
  return fc
    .record({
      leading: leading(parts),
      headers: headersOf(dictionary, 5),
      body: bodyOf(dictionary),
      trailers: fc.option(headersOf(dictionary, 2), { freq: 5, nil: undefined }),
    })
    .map(({ leading: first, headers, body, trailers }) => ({
      headers: [...first, ...headers],
      ...(body.length === 0 ? {} : { body }),
      ...(trailers === undefined ? {} : { trailers }),
    }));
}

/** What passes in one stream, without what is around it. */
export function httpOf(dictionary: Dictionary): Arbitrary<HttpExchange> {
  const request = messageOf(dictionary, [
    [":method", METHODS],
    [":scheme", ["https", "http", ""]],
    [":authority", HOSTS],
    [":path", PATHS],
  ]);
  const response = messageOf(dictionary, [
    [":status", STATUSES],
    ["content-type", TYPES],
  ]);
  return fc
    .record({ request, response: fc.option(response, { freq: 8, nil: undefined }) })
    .map(({ request: sent, response: got }) => ({
      request: sent,
      ...(got === undefined ? {} : { response: got }),
    }));
}

export function tcpOf(dictionary: Dictionary): Arbitrary<TcpExchange> {
  return fc
    .record({ downstream: bodyOf(dictionary), upstream: bodyOf(dictionary) })
    .map((connection) => ({ connection }));
}

/** What clusters answer: well, badly, late or never. */
export function upstreamsOf(dictionary: Dictionary): Arbitrary<NonNullable<Exchange["upstreams"]>> {
  if (dictionary.clusters.length === 0) return fc.constant({});
  const answer: Arbitrary<UpstreamAnswer> = fc.record(
    {
      status: fc.constantFrom(200, 204, 302, 401, 403, 404, 429, 500, 503),
      headers: headersOf(dictionary, 3),
      body: bodyOf(dictionary).map((pieces) => pieces[0] ?? ""),
      delayMs: fc.constantFrom(0, 1, 100, 5_000),
      reset: fc.constantFrom(false, false, true),
      grpc: fc.record({
        status: fc.constantFrom(0, 4, 7, 14),
        messages: bodyOf(dictionary),
      }),
    },
    { requiredKeys: [] },
  );
  return fc.dictionary(
    fc.constantFrom(...dictionary.clusters),
    fc.array(answer, { minLength: 1, maxLength: 3 }),
    { maxKeys: 4 },
  );
}

/** Statuses that hosts answer; 0 would promise what is not there. */
const STATUSES_FORCED = [1, 2, 6, 7, 8, 10, 12];

/** Calls of the host that fail, as none should but any may. */
export function faultsOf(calls: readonly string[]): Arbitrary<ForcedStatus[]> {
  if (calls.length === 0) return fc.constant([]);
  const fault = fc
    .record({
      call: fc.constantFrom(...calls),
      nth: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      status: fc.constantFrom(...STATUSES_FORCED),
    })
    .map(({ nth, ...rest }): ForcedStatus => (nth === undefined ? rest : { ...rest, nth }));
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constant<ForcedStatus[]>([]) },
    { weight: 2, arbitrary: fc.array(fault, { minLength: 1, maxLength: 2 }) },
  );
}
