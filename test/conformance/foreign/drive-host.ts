import { createHost, type Header, type Host, type Stream, Trap } from "@weft/sdk/host";
import {
  CALLOUT_CLUSTER,
  CLIENT_GOT_NOTHING,
  callLines,
  clientGot,
  type Exchange,
  type ForeignModule,
  HOST,
  logLine,
  type Shown,
  upstreamSaw,
} from "./module.ts";

/** Virtual time for callouts to come to their end. */
const SETTLE_MS = 100;

/** Runs a module in our host and answers what it shows. */
export function driveHost(wasm: Uint8Array, module: ForeignModule): Shown {
  const nothing: Shown = { isLoaded: false, exchanges: [], logs: [], calls: [] };
  try {
    const host = createHost(wasm, { logLevel: 0, vmId: module.id });
    const names = { name: module.id, rootId: module.rootId ?? module.id };
    const root = host.start(module.configuration ?? "", names);
    if (root === null) return nothing;
    const exchanges = module.exchanges.map((one) => exchange(host, root, one));
    return {
      isLoaded: true,
      exchanges,
      logs: host.logs.map(({ level, message }) => logLine(level, message)),
      calls: callLines(host.callCounts),
    };
  } catch (error) {
    if (error instanceof Error && /LoadError|Trap/.test(error.name)) return nothing;
    throw error;
  }
}

/** Plays client, upstream and callouts of one request. */
function exchange(host: Host, root: number, one: Exchange): string {
  const answer = one.callout ?? "";
  host.upstream(CALLOUT_CLUSTER).on(() => ({
    headers: [
      [":status", "200"],
      ["content-length", String(Buffer.byteLength(answer))],
      // Envoy's own client adds how long it took.
      ["x-envoy-upstream-service-time", "0"],
    ],
    body: answer,
  }));
  if (one.waitMs !== undefined) host.advance(one.waitMs);
  const unserved = clientGot("503", [], "");
  if (host.hasFailed) return unserved;
  try {
    const stream = host.openStream(root);
    request(stream, one);
    host.advance(SETTLE_MS);
    const { headers, body, isPaused } = stream.request;
    const isSent = headers !== null && stream.localResponse === null && !isPaused;
    const saw = isSent ? `${upstreamSaw(startOf(headers), plain(headers), text(body))}\n` : "";
    if (isSent) {
      const { status = 200, headers: own = [], body: answer = "upstream" } = one.response ?? {};
      const length: Header = ["content-length", String(Buffer.byteLength(answer))];
      stream.responseHeaders([[":status", String(status)], ...own, length], answer === "");
      if (answer !== "") stream.responseBody(answer, false);
      if (answer !== "") stream.responseBody("", true);
      host.advance(SETTLE_MS);
    }
    const got = received(stream);
    stream.close();
    return saw + got;
  } catch (error) {
    if (error instanceof Trap) return unserved;
    throw error;
  }
}

/** What the client has got: a plugin that answers in place of a response ends what comes of that. */
function received({ response, localResponse }: Stream): string {
  const status = response.headers?.find(([name]) => name === ":status")?.[1];
  if (response.headers !== null && status !== undefined) {
    return clientGot(status, plain(response.headers), text(response.body));
  }
  if (localResponse === null) return CLIENT_GOT_NOTHING;
  const { headers, body } = localResponse;
  return clientGot(String(localResponse.status), plain(headers), text(body));
}

/** The headers of the request as an Envoy that serves HTTP/1 hands them to filters. */
function request(stream: Stream, { path = "/", headers = [], body }: Exchange): void {
  const length: Header[] =
    body === undefined ? [] : [["content-length", String(Buffer.byteLength(body))]];
  const all: Header[] = [
    [":authority", HOST],
    [":path", path],
    [":method", body === undefined ? "GET" : "POST"],
    [":scheme", "http"],
    ...headers,
    ...length,
    ["x-forwarded-proto", "http"],
  ];
  stream.requestHeaders(all, body === undefined);
  if (body === undefined) return;
  stream.requestBody(body, false);
  stream.requestBody("", true);
}

const value = (headers: readonly Header[], name: string) =>
  headers.find(([other]) => other === name)?.[1] ?? "";

const startOf = (headers: readonly Header[]) =>
  `${value(headers, ":method")} ${value(headers, ":path")} host=${value(headers, ":authority")}`;

const plain = (headers: readonly Header[]) => headers.filter(([name]) => !name.startsWith(":"));

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
