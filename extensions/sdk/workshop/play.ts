import { type Flow, type Header, type Host, type LogLine, Trap } from "../host/index.ts";
import {
  bytesOf,
  type Exchange,
  type HttpExchange,
  isTcp,
  type Message,
  type TcpExchange,
} from "./exchange.ts";

/** What has gone on of a message; of a TCP connection, bytes alone. */
export interface Passed {
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
  readonly trailers: readonly Header[];
}

/** What came out of an exchange. */
export interface Outcome {
  /** What the upstream got, and what the client got; null for nothing. */
  readonly request: Passed | null;
  readonly response: Passed | null;
  /** The details of a response that the plugin has made itself. */
  readonly localResponse: string | null;
  /** Whether the plugin has closed the stream. */
  readonly isReset: boolean;
  /** The direction that the plugin still held when nothing more could happen. */
  readonly held: "request" | "response" | null;
  readonly logs: readonly LogLine[];
  /** By how much counters and gauges have moved, and what histograms were told. */
  readonly metrics: Readonly<Record<string, bigint | readonly bigint[]>>;
  readonly trap: Trap | null;
}

/** Virtual time that is waited for callouts, ticks and whatever else lets a stream go on. */
const PATIENCE_MS = 60_000;

/**
 * Sends an exchange through a plugin that runs: the whole request, then time passes until its
 * callouts are answered and it goes on, then the response likewise, then the end. A trap is an
 * outcome like others.
 */
export function play(host: Host, root: number, exchange: Exchange): Outcome {
  const before = readMetrics(host);
  const said = host.logs.length;
  const taken = stepsOf(host, root, exchange);
  let trap: Trap | null = null;
  try {
    for (const step of taken.steps) step();
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    trap = error;
  }
  const metrics = changesSince(before, host);
  return { ...taken.outcome(), logs: host.logs.slice(said), metrics, trap };
}

type Flowed = Omit<Outcome, "logs" | "metrics" | "trap">;

/** An exchange in steps, so that others can come in between. */
export interface Steps {
  readonly steps: readonly (() => void)[];
  /** What came out, once all steps are done or one has trapped. */
  readonly outcome: () => Flowed;
}

const NOTHING: Flowed = {
  request: null,
  response: null,
  localResponse: null,
  isReset: false,
  held: null,
};

export function stepsOf(host: Host, root: number, exchange: Exchange): Steps {
  return isTcp(exchange) ? tcpSteps(host, root, exchange) : httpSteps(host, root, exchange);
}

function httpSteps(host: Host, root: number, exchange: HttpExchange): Steps {
  const { properties = {}, request, response } = exchange;
  let stream: ReturnType<Host["openStream"]> | null = null;
  let held: Outcome["held"] = null;
  const opened = () => {
    stream ??= host.openStream(root, { properties });
    return stream;
  };
  const isOver = () => opened().localResponse !== null || opened().isReset;
  /** A message goes on once all of it has come; the upstream answers no sooner. */
  const direction = (name: "request" | "response") => () => {
    if (isOver() || held !== null) return;
    const flow = opened()[name];
    settle(host, () => flow.isPaused && !isOver());
    if (flow.isPaused && !isOver()) held = name;
  };
  const send = (name: "request" | "response", message: Message) =>
    piecesOf(message).map(([part, value, endOfStream]) => () => {
      if (isOver() || held !== null) return;
      if (part === "Trailers") opened()[`${name}Trailers`](value as readonly Header[]);
      else if (part === "Body") opened()[`${name}Body`](value as Uint8Array, endOfStream);
      else opened()[`${name}Headers`](value as readonly Header[], endOfStream);
    });
  const end = () => {
    opened().close();
    settle(host, () => false);
  };
  return {
    steps: [
      ...send("request", request),
      direction("request"),
      ...(response === undefined ? [] : [...send("response", response), direction("response")]),
      end,
    ],
    outcome: () => {
      if (stream === null) return NOTHING;
      const { localResponse, isReset } = stream;
      return {
        request: passedOf(stream.request),
        response: passedOf(stream.response),
        localResponse: localResponse?.details ?? null,
        isReset,
        held,
      };
    },
  };
}

type Piece =
  | readonly ["Headers" | "Trailers", readonly Header[], boolean]
  | readonly ["Body", Uint8Array, boolean];

/** The callbacks that a message is: the last one is told that the stream ends. */
function piecesOf({ headers, body = [], trailers }: Message): readonly Piece[] {
  const hasTrailers = trailers !== undefined;
  const pieces = body.map((chunk, index): Piece => {
    return ["Body", bytesOf(chunk), !hasTrailers && index === body.length - 1];
  });
  const isAlone = pieces.length === 0 && !hasTrailers;
  return [
    ["Headers", headers, isAlone],
    ...pieces,
    ...(hasTrailers ? [["Trailers", trailers, true] as const] : []),
  ];
}

function tcpSteps(host: Host, root: number, exchange: TcpExchange): Steps {
  const { properties = {}, connection } = exchange;
  const { downstream = [], upstream = [] } = connection;
  let opened: ReturnType<Host["openConnection"]> | null = null;
  let held: Outcome["held"] = null;
  const open = () => {
    opened ??= host.openConnection(root, properties);
    return opened;
  };
  const wait = (name: "request" | "response") => () => {
    settle(host, () => open().isPaused && !open().isReset);
    if (open().isPaused && !open().isReset) held ??= name;
  };
  return {
    steps: [
      () => void open(),
      ...downstream.map((piece, index) => () => {
        open().receive(bytesOf(piece), index === downstream.length - 1);
      }),
      wait("request"),
      ...upstream.map((piece, index) => () => {
        if (held === null) open().answer(bytesOf(piece), index === upstream.length - 1);
      }),
      wait("response"),
      () => open().close(),
    ],
    outcome: () => {
      if (opened === null) return NOTHING;
      const bytes = (body: Uint8Array): Passed => ({
        headers: [],
        body: Buffer.from(body),
        trailers: [],
      });
      return {
        request: bytes(opened.upstream),
        response: bytes(opened.downstream),
        localResponse: null,
        isReset: opened.isReset,
        held,
      };
    },
  };
}

/** Lets time pass while something is waited for or a callout has no answer. */
export function settle(host: Host, isWaiting: () => boolean): void {
  let leftMs = PATIENCE_MS;
  while (isWaiting() || host.openCalls > 0) {
    const tookMs = host.advanceToNext(leftMs);
    if (tookMs === null) return;
    leftMs -= tookMs;
  }
}

function passedOf({ headers, body, trailers }: Flow): Passed | null {
  return headers === null ? null : { headers, body: Buffer.from(body), trailers: trailers ?? [] };
}

interface Metrics {
  readonly numbers: ReadonlyMap<string, bigint>;
  readonly lists: ReadonlyMap<string, number>;
}

function readMetrics({ counters, gauges, histograms }: Host): Metrics {
  return {
    numbers: new Map([...counters, ...gauges]),
    lists: new Map([...histograms].map(([name, values]) => [name, values.length])),
  };
}

function changesSince({ numbers, lists }: Metrics, host: Host): Outcome["metrics"] {
  const moved = [...host.counters, ...host.gauges]
    .map(([name, value]) => [name, value - (numbers.get(name) ?? 0n)] as const)
    .filter(([, by]) => by !== 0n);
  const told = [...host.histograms]
    .map(([name, values]) => [name, values.slice(lists.get(name) ?? 0)] as const)
    .filter(([, values]) => values.length > 0);
  return Object.fromEntries<bigint | readonly bigint[]>([...moved, ...told]);
}
