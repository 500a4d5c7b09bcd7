// One request after the other through the plugins of our host.

import type { Flow, Header, Properties, Stream, Worker } from "@weft/sdk/host";
import { echo } from "./answers.ts";
import { type Case, type Move, playsUpstream } from "./case.ts";
import type { Plugins } from "./host-plugins.ts";
import type { Sides } from "./sides.ts";

/** Headers that an Envoy adds, or that every client sends. */
const ALWAYS: readonly Header[] = [
  [":authority", "probe"],
  [":path", "/path?query"],
  [":method", "GET"],
  [":scheme", "http"],
  ["x-forwarded-proto", "http"],
  ["x-request-id", "00000000-0000-0000-0000-000000000000"],
];

/** A message as the client or the upstream has received it. */
interface Received {
  headers: readonly Header[] | null;
  body: string;
  trailers: readonly Header[];
  isEnded: boolean;
  isBroken: boolean;
}

/** A message on its way from one plugin to the next, or out. */
interface Hop {
  readonly from: Flow;
  readonly to: Sink;
  hasBegun: boolean;
  /** Bytes of the body that have been taken over. */
  at: number;
  hasEnded: boolean;
}

interface Sink {
  headers(headers: readonly Header[], endOfStream: boolean): void;
  body(bytes: Uint8Array, endOfStream: boolean): void;
  trailers(trailers: readonly Header[]): void;
}

interface Open {
  readonly worker: Worker;
  readonly stream: Stream;
}

interface State {
  /** Whether the upstream has. */
  hasAnswered: boolean;
  isOver: boolean;
}

interface Exchange extends State {
  readonly streams: readonly Open[];
  readonly hops: readonly Hop[];
  readonly up: Received;
  readonly down: Received;
  /** Where the client's messages go. */
  readonly entry: Sink;
  /** Opens a stream of the plugin of that place, if it takes part. */
  readonly open: (place: number) => Stream | "pass" | "fail";
}

const nothing = (): Received => {
  return { headers: null, body: "", trailers: [], isEnded: false, isBroken: false };
};

const received = (by: Received): Sink => ({
  headers: (headers, endOfStream) => {
    by.headers = headers;
    by.isEnded = endOfStream;
  },
  body: (bytes, endOfStream) => {
    by.body += Buffer.from(bytes);
    by.isEnded = endOfStream;
  },
  trailers: (trailers) => {
    by.trailers = trailers;
    by.isEnded = true;
  },
});

const toRequest = (stream: Stream): Sink => ({
  headers: (headers, endOfStream) => stream.requestHeaders(headers, endOfStream),
  body: (bytes, endOfStream) => stream.requestBody(bytes, endOfStream),
  trailers: (trailers) => stream.requestTrailers(trailers),
});

const toResponse = (stream: Stream): Sink => ({
  headers: (headers, endOfStream) => stream.responseHeaders(headers, endOfStream),
  body: (bytes, endOfStream) => stream.responseBody(bytes, endOfStream),
  trailers: (trailers) => stream.responseTrailers(trailers),
});

/** Takes over what has come since. */
function relay(hop: Hop): void {
  const { from, to } = hop;
  if (!hop.hasBegun) {
    if (from.headers === null) return;
    hop.hasBegun = true;
    const isAll = from.isEnded && from.body.byteLength === 0 && from.trailers === null;
    hop.hasEnded = isAll;
    to.headers(from.headers, isAll);
  }
  if (hop.hasEnded) return;
  const bytes = from.body.subarray(hop.at);
  hop.at = from.body.byteLength;
  if (bytes.byteLength > 0) to.body(bytes, false);
  if (!from.isEnded) return;
  hop.hasEnded = true;
  if (from.trailers === null) to.body(new Uint8Array(), true);
  else to.trailers(from.trailers);
}

/** Client and upstream of HTTP. */
export function hostExchanges(plugins: Plugins, one: Case): Sides {
  const all: Exchange[] = [];
  const isPlayed = playsUpstream(one);
  const { guard } = plugins;
  const begin = (headers: readonly Header[], ends: boolean) => {
    if (all.length > 0) plugins.pass(BETWEEN_MS);
    const exchange = createExchange(plugins, one);
    all.push(exchange);
    const own = new Map(headers);
    const method = own.get(":method") ?? (ends ? "GET" : "POST");
    const sent: Header[] = [
      ...ALWAYS.map(([name, value]): Header => [name, name === ":method" ? method : value]),
      ...headers.filter(([name]) => !name.startsWith(":")),
    ];
    if (own.get(":authority") === "") refuse(exchange, sent);
    else guard(() => exchange.entry.headers(sent, ends));
  };
  const settle = () => {
    for (const exchange of all) {
      if (!exchange.isOver) settleExchange(exchange, plugins, isPlayed);
    }
  };
  const last = () => all.at(-1);
  return {
    client: {
      isReady: true,
      do: (move) => {
        if (typeof move === "object" && "open" in move) begin(move.open, move.ends ?? false);
        else sendBy(last(), move, guard);
        settle();
      },
      get received() {
        return last()?.down.body ?? "";
      },
      get isClosed() {
        return last()?.isOver ?? false;
      },
      get shown() {
        return all.map(({ down }) => shownOf(down));
      },
    },
    upstream: {
      get isReady() {
        return isPlayed && last()?.up.headers != null;
      },
      do: (move) => {
        const exchange = last();
        if (exchange !== undefined && !exchange.isOver) answerBy(exchange, move, guard);
        settle();
      },
      get received() {
        return last()?.up.body ?? "";
      },
      get isClosed() {
        return last()?.up.isEnded ?? false;
      },
      get shown() {
        if (!isPlayed) return [];
        return all.flatMap(({ up }) => (up.headers === null ? [] : [upstreamShown(up)]));
      },
    },
    settle,
  };
}

/** Time between two requests of a client. */
const BETWEEN_MS = 5;

type Guard = Plugins["guard"];

/** Leads a request through all plugins: each has a stream from the time its headers reach it. */
function createExchange({ workers, guard }: Plugins, one: Case): Exchange {
  const streams: Open[] = [];
  const hops: Hop[] = [];
  const [up, down] = [nothing(), nothing()];
  const state = { hasAnswered: false, isOver: false };
  const properties = propertiesOf(one, up);
  const link = (from: Flow, to: Sink) => {
    hops.push({ from, to, hasBegun: false, at: 0, hasEnded: false });
  };
  const open = (i: number): Stream | "pass" | "fail" => {
    const worker = workers[i];
    const admitted = worker?.admit() ?? "pass";
    if (worker === undefined || admitted !== "serve") return admitted === "pass" ? "pass" : "fail";
    let stream: Stream | null = null;
    guard(() => {
      stream = worker.host.openStream(worker.root, { properties });
    });
    if (stream === null) return "fail";
    const before = streams.at(-1);
    streams.push({ worker, stream });
    link(
      (stream as Stream).response,
      before === undefined ? received(down) : toResponse(before.stream),
    );
    link((stream as Stream).request, i + 1 < workers.length ? entryOf(i + 1) : received(up));
    return stream;
  };
  const entryOf = (i: number): Sink => {
    let to: Sink | null = null;
    return {
      headers: (headers, endOfStream) => {
        const opened = open(i);
        if (opened === "fail") fail(down);
        else if (opened === "pass") to = i + 1 < workers.length ? entryOf(i + 1) : received(up);
        else to = toRequest(opened);
        to?.headers(headers, endOfStream);
      },
      body: (bytes, endOfStream) => to?.body(bytes, endOfStream),
      trailers: (trailers) => to?.trailers(trailers),
    };
  };
  return Object.assign(state, { streams, hops, up, down, open, entry: entryOf(0) });
}

const fail = (down: Received) =>
  Object.assign(down, { headers: [[":status", "503"]], isEnded: true });

/** Where the upstream's messages go. */
const exit = ({ streams, down }: Exchange): Sink => {
  const last = streams.at(-1);
  return last === undefined ? received(down) : toResponse(last.stream);
};

function sendBy(
  exchange: Exchange | undefined,
  move: Exclude<Move, { open: unknown }>,
  guard: Guard,
) {
  if (exchange === undefined || exchange.isOver) return;
  const { entry, down } = exchange;
  if (move === "reset") down.isBroken = true;
  else if (move === "end") guard(() => entry.body(new Uint8Array(), true));
  else if ("bytes" in move) guard(() => entry.body(Buffer.from(move.bytes), false));
  else guard(() => entry.trailers(move.trailers));
}

/** The proxy refuses a request that no plugin has seen: they are told to log it only. */
function refuse({ open, down }: Exchange, headers: readonly Header[]): void {
  const stream = open(0);
  if (typeof stream !== "string") stream.refuse(headers, "missing_host_header");
  Object.assign(down, { headers: [[":status", "400"]], isEnded: true });
}

function answerBy(exchange: Exchange, move: Move, guard: Guard): void {
  const to = exit(exchange);
  guard(() => {
    if (move === "end") to.body(new Uint8Array(), true);
    else if (move === "reset") exchange.streams.at(-1)?.stream.breakOff();
    else if ("bytes" in move) to.body(Buffer.from(move.bytes), false);
    else if ("trailers" in move) to.trailers(move.trailers);
    else to.headers(move.open, move.ends ?? false);
  });
}

/** Whether the upstream has no say in what the client gets any more. */
const isDecided = ({ streams, down }: Exchange): boolean =>
  down.isEnded ||
  streams.some(({ stream: { isReset, localResponse } }) => isReset || localResponse !== null);

function settleExchange(exchange: Exchange, plugins: Plugins, isPlayed: boolean): void {
  const { guard } = plugins;
  const { streams, hops, up, down } = exchange;
  // Hops appear as plugins are reached.
  for (let round = 0; round <= hops.length; round++) {
    for (const hop of hops) guard(() => relay(hop));
  }
  if (!isPlayed && up.isEnded && up.headers !== null && !exchange.hasAnswered) {
    exchange.hasAnswered = true;
    // An answer takes its time: what is due at once comes before.
    plugins.pass(0);
    answerWithEcho(exchange, up.headers, guard);
    settleExchange(exchange, plugins, isPlayed);
    return;
  }
  if (streams.some(({ stream }) => stream.isReset)) down.isBroken = true;
  if (!down.isEnded && !down.isBroken) return;
  exchange.isOver = true;
  for (const { worker, stream } of streams) {
    if (!worker.host.hasFailed) guard(() => stream.close());
  }
}

function answerWithEcho(exchange: Exchange, headers: readonly Header[], guard: Guard): void {
  const { up, down, streams } = exchange;
  if (isDecided(exchange)) return;
  // A plugin that has trapped meanwhile lets no response through.
  if (streams.some(({ worker }) => worker.host.hasFailed)) {
    fail(down);
    return;
  }
  const answer = echo({ headers, body: up.body, trailers: up.trailers });
  const to = exit(exchange);
  guard(() => to.headers(answer.headers ?? [], false));
  if (!isDecided(exchange)) guard(() => to.body(Buffer.from(answer.body ?? ""), false));
  if (!isDecided(exchange)) guard(() => to.body(new Uint8Array(), true));
}

/** Statuses that a client takes for the end of a response. */
const [STATUS_MIN, STATUS_MAX] = [200, 999];

/** What a client makes of a response. */
function shownOf({ headers, body, trailers, isEnded, isBroken }: Received): string {
  if (headers === null) return isBroken ? "reset" : "nothing";
  const value = (name: string) => {
    const values = headers.filter(([other]) => other === name).map((header) => header[1]);
    return values.length === 0 ? [] : [values.join(", ")];
  };
  const status = headers.find(([name]) => name === ":status")?.[1] ?? "";
  if (Number(status) < STATUS_MIN || Number(status) > STATUS_MAX) return "reset";
  const length = Number(value("content-length")[0] ?? body.length);
  const end = isBroken || body.length > length ? ["reset"] : isEnded ? [] : ["unfinished"];
  const shown = [...value("x-saw"), ...value("x-added"), ...trailers.map((each) => each.join("="))];
  return [status, body.slice(0, length), ...shown, ...end].join(" ");
}

function upstreamShown({ body, trailers, isEnded, isBroken }: Received): string {
  const end = isEnded ? [] : [isBroken ? "reset" : "unfinished"];
  return [`[${body}]`, ...trailers.map((each) => each.join("=")), ...end].join(" ");
}

const NO_MESSAGE = new Uint8Array();

/** Properties that are the proxy's affair: of the connection, its configuration, the upstream. */
function propertiesOf(one: Case, up: Received): Properties {
  return {
    ...connectionProperties(playsUpstream(one) ? one.id : "upstream"),
    get upstream(): Properties {
      const isChosen = up.headers !== null;
      return {
        num_endpoints: 1n,
        request_attempt_count: isChosen ? 1n : 0n,
        ...(isChosen && { address: "127.0.0.1:80", port: 80n, transport_failure_reason: "" }),
      };
    },
  };
}

export function connectionProperties(cluster: string): Properties {
  return {
    source: { address: "127.0.0.1:50000", port: 50_000n },
    destination: { address: "127.0.0.1:10000", port: 10_000n },
    connection: { id: 1n, mtls: false, requested_server_name: "" },
    connection_id: 1n,
    metadata: NO_MESSAGE,
    xds: {
      node: { id: "conformance", cluster: "test" },
      cluster_name: cluster,
      route_name: "way",
      virtual_host_name: "all",
      filter_chain_name: "chain",
      listener_direction: 0n,
      route_metadata: NO_MESSAGE,
    },
  };
}
