import type { Context, GuestBuffer } from "./context.ts";
import { type Header, HeaderMap } from "./header-map.ts";
import { BufferKind, MapKind } from "./status.ts";
import type { Vm } from "./vm.ts";

/** One direction of an HTTP stream, as the plugin leaves it to what comes after. */
export interface Flow {
  /** What has gone on; null while the plugin holds it or none has come. */
  readonly headers: Header[] | null;
  readonly body: Uint8Array;
  readonly trailers: Header[] | null;
  /** Whether its end has gone on as well. */
  readonly isEnded: boolean;
  readonly isPaused: boolean;
}

/** One direction of an HTTP stream, on its way through the plugin. */
export interface Lane {
  readonly vm: Vm;
  readonly context: Context;
  readonly kinds: Kinds;
  /** What has gone on. */
  readonly passed: { -readonly [K in keyof Flow]: Flow[K] };
  hold: Hold;
  /** What has come; of body and trailers, what of that has not gone on. */
  headers: HeaderMap | null;
  buffered: Uint8Array | null;
  trailers: HeaderMap | null;
  hasEnded: boolean;
  /** Bytes of body that have come. */
  receivedBytes: number;
  /** Whether the plugin is shown what is gathered with each new chunk, and whether it sees it now. */
  isGathering: boolean;
  isGathered: boolean;
  /** Whether the plugin is being asked, and has said meanwhile that all may go on. */
  isCalling: boolean;
  isResumeAsked: boolean;
  /** What is logged of it. */
  seenHeaders: HeaderMap | null;
  seenTrailers: HeaderMap | null;
}

/** How far the plugin holds on: not at all, to what it has seen, or to what it has not as well. */
export type Hold = "nothing" | "seen" | "all" | "stopped";

/** By what names and numbers the ABI knows the parts of a direction. */
export interface Kinds {
  readonly name: string;
  readonly headers: number;
  readonly body: number;
  readonly trailers: number;
  readonly onHeaders: string;
  readonly onBody: string;
  readonly onTrailers: string;
}

export const REQUEST: Kinds = {
  name: "request",
  headers: MapKind.requestHeaders,
  body: BufferKind.requestBody,
  trailers: MapKind.requestTrailers,
  onHeaders: "proxy_on_request_headers",
  onBody: "proxy_on_request_body",
  onTrailers: "proxy_on_request_trailers",
};

export const RESPONSE: Kinds = {
  name: "response",
  headers: MapKind.responseHeaders,
  body: BufferKind.responseBody,
  trailers: MapKind.responseTrailers,
  onHeaders: "proxy_on_response_headers",
  onBody: "proxy_on_response_body",
  onTrailers: "proxy_on_response_trailers",
};

export const NOTHING = new Uint8Array();

/**
 * What streams and lanes are made of has no accessors of its own: V8 makes a hidden class for each
 * object with such, and those keep streams alive until the heap is collected as a whole.
 */
export function createLane(vm: Vm, context: Context, kinds: Kinds): Lane {
  return {
    vm,
    context,
    kinds,
    passed: { headers: null, body: NOTHING, trailers: null, isEnded: false, isPaused: false },
    hold: "nothing",
    headers: null,
    buffered: null,
    trailers: null,
    hasEnded: false,
    receivedBytes: 0,
    isGathering: false,
    isGathered: false,
    isCalling: false,
    isResumeAsked: false,
    seenHeaders: null,
    seenTrailers: null,
  };
}

export function hold(lane: Lane, next: Hold): void {
  lane.hold = next;
  lane.passed.isPaused = next !== "nothing";
}

/** Nothing goes on any more. */
export function stop(lane: Lane): void {
  hold(lane, "stopped");
}

/** Keeps bytes back, behind those that are kept already. */
export function gather(lane: Lane, bytes: Uint8Array): void {
  lane.buffered = Buffer.concat([lane.buffered ?? NOTHING, bytes]);
}

/** The body that is kept back, to be read and changed. */
export function gathered(lane: Lane): GuestBuffer {
  return {
    read: () => lane.buffered ?? NOTHING,
    write: (next) => {
      lane.buffered = next;
    },
  };
}

export function passHeaders(lane: Lane): void {
  const { passed } = lane;
  passed.headers = lane.headers?.entries() ?? [];
  passed.isEnded = lane.hasEnded && lane.buffered === null && lane.trailers === null;
}

export function passBody(lane: Lane, bytes: Uint8Array, endOfStream: boolean): void {
  lane.passed.body = Buffer.concat([lane.passed.body, bytes]);
  lane.passed.isEnded = endOfStream && lane.trailers === null;
}

export function passTrailers({ passed, trailers }: Lane): void {
  passed.trailers = trailers?.entries() ?? null;
  passed.isEnded = true;
}

/** Takes away what the plugin can read, but for a body that is gathered. */
export function forget({ context, kinds, isGathered }: Lane): void {
  context.maps.delete(kinds.headers);
  context.maps.delete(kinds.trailers);
  if (!isGathered) context.buffers.delete(kinds.body);
}

/** Lets this go on instead of all that has come, past the plugin. */
export function replace(lane: Lane, headers: readonly Header[], body: Uint8Array): void {
  const map = new HeaderMap(headers);
  lane.seenHeaders = map;
  Object.assign(lane.passed, { headers: map.entries(), body, isEnded: true });
  stop(lane);
}
