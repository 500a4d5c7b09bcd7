import type { Context } from "./context.ts";
import { Died } from "./died.ts";
import { type Header, type HeaderMap, headerMap } from "./header-map.ts";
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

export interface FlowControl extends Flow {
  receiveHeaders(headers: readonly Header[], endOfStream: boolean): Header[];
  receiveBody(bytes: Uint8Array, endOfStream: boolean): void;
  receiveTrailers(trailers: readonly Header[]): Header[];
  resume(): void;
  /** Takes away what the plugin can read, but for a body that is gathered. */
  forget(): void;
  /** Lets this go on instead of all that has come, past the plugin. */
  replace(headers: readonly Header[], body: Uint8Array): void;
  /** Nothing goes on any more. */
  stop(): void;
  /** All that has come, to be logged. */
  readonly seen: Map<number, HeaderMap>;
  /** Bytes of body that have come. */
  readonly receivedBytes: number;
}

interface Kinds {
  readonly name: string;
  readonly headers: number;
  readonly body: number;
  readonly trailers: number;
}

export const REQUEST: Kinds = {
  name: "request",
  headers: MapKind.requestHeaders,
  body: BufferKind.requestBody,
  trailers: MapKind.requestTrailers,
};

export const RESPONSE: Kinds = {
  name: "response",
  headers: MapKind.responseHeaders,
  body: BufferKind.responseBody,
  trailers: MapKind.responseTrailers,
};

/** What callbacks answer: for headers and, in part, for body and trailers. */
const CONTINUE = 0;
const STOP = 1;
const CONTINUE_AND_END = 2;
const STOP_WITHOUT_BUFFER = 3;

/** How far the plugin holds on: not at all, to what it has seen, or to what it has not as well. */
type Hold = "nothing" | "seen" | "all" | "stopped";

const NOTHING = new Uint8Array();

/**
 * Leads one direction through the plugin as Envoy's filter manager does: a filter that holds on is
 * shown nothing, or gathers; when it goes on, all that waits goes on with it.
 */
export function createFlow(vm: Vm, context: Context, kinds: Kinds): FlowControl {
  const seen = new Map<number, HeaderMap>();
  let hold: Hold = "nothing";
  /** What has come, and what of it has not gone on. */
  let hasEnded = false;
  let arrived: HeaderMap | null = null;
  let buffered: Uint8Array | null = null;
  let arrivedTrailers: HeaderMap | null = null;
  /** Whether the plugin is shown what is gathered with each new chunk. */
  let isGathering = false;
  let isGathered = false;
  let receivedBytes = 0;
  let headers: Header[] | null = null;
  let body: Uint8Array = NOTHING;
  let trailers: Header[] | null = null;
  let isEnded = false;
  let isCalling = false;
  let isResumeAsked = false;

  const isStopped = () => hold === "stopped";
  const gather = (bytes: Uint8Array) => {
    buffered = Buffer.concat([buffered ?? NOTHING, bytes]);
  };

  /** Calls the plugin. By the specification what it asks for meanwhile waits for its answer. */
  const ask = (callback: string, words: readonly number[], act: (answer: number) => void): void => {
    isCalling = !vm.profile.resumesBeforeAnswer;
    const answer = vm.enter(`proxy_on_${kinds.name}_${callback}`, context, words) ?? CONTINUE;
    if (!isStopped()) act(answer);
    isCalling = false;
    if (isResumeAsked) flow.resume();
  };

  const passHeaders = () => {
    headers = arrived?.entries() ?? [];
    isEnded = hasEnded && buffered === null && arrivedTrailers === null;
  };
  const passBody = (bytes: Uint8Array, endOfStream: boolean) => {
    body = Buffer.concat([body, bytes]);
    isEnded = endOfStream && arrivedTrailers === null;
  };
  const passTrailers = () => {
    trailers = arrivedTrailers?.entries() ?? null;
    isEnded = true;
  };

  /** Shows the plugin a chunk, with those before it that it has asked to be gathered. */
  const showBody = (bytes: Uint8Array, endOfStream: boolean): void => {
    let chunk: Uint8Array = bytes;
    const gathers = isGathering;
    isGathered = gathers;
    if (gathers) {
      gather(bytes);
      chunk = NOTHING;
    }
    const buffer = {
      get bytes() {
        return gathers ? (buffered ?? NOTHING) : chunk;
      },
      write: (next: Uint8Array) => {
        if (gathers) buffered = next;
        else chunk = next;
      },
    };
    context.buffers.set(kinds.body, buffer);
    const added = headerMap([]);
    // At the end of a body without trailers there may be some yet.
    if (endOfStream) context.maps.set(kinds.trailers, added);
    ask("body", [buffer.bytes.byteLength, endOfStream ? 1 : 0], (answer) => {
      context.buffers.delete(kinds.body);
      if (endOfStream) {
        context.maps.delete(kinds.trailers);
        if (added.entries().length > 0) arrivedTrailers = added;
      }
      isGathering = false;
      if (answer === CONTINUE) {
        if (hold === "seen") {
          gather(chunk);
          goOn();
        } else {
          passBody(chunk, endOfStream);
          if (arrivedTrailers === added) passTrailers();
        }
        return;
      }
      holdBody(answer, chunk);
    });
  };

  const holdBody = (answer: number, chunk: Uint8Array): void => {
    hold = "seen";
    if (answer < STOP_WITHOUT_BUFFER) gather(chunk);
    else if (hasEnded && arrivedTrailers === null) buffered ??= NOTHING;
    isGathering = answer === STOP;
    isGathered = isGathering;
    context.buffers.set(kinds.body, isGathering ? gatheredBuffer : LOST);
  };
  const gatheredBuffer = {
    get bytes() {
      return buffered ?? NOTHING;
    },
    write: (next: Uint8Array) => {
      buffered = next;
    },
  };

  const showTrailers = (map: HeaderMap): void => {
    context.maps.set(kinds.trailers, map);
    ask("trailers", [map.entries().length], (answer) => {
      if (answer !== CONTINUE) {
        if (hold === "nothing") hold = "seen";
        return;
      }
      context.maps.delete(kinds.trailers);
      if (hold === "seen") goOn();
      else passTrailers();
    });
  };

  /** Lets all go on that waits. What the plugin has not seen yet it is shown first. */
  const goOn = (): void => {
    if (isStopped() || arrived === null) return;
    const isUnseen = hold === "all";
    hold = "nothing";
    isGathering = false;
    // Envoy leaves those of a response where they are.
    if (kinds === REQUEST || !vm.profile.resumesBeforeAnswer) {
      for (const kind of [kinds.headers, kinds.trailers]) context.maps.delete(kind);
    }
    context.buffers.delete(kinds.body);
    if (headers === null) passHeaders();
    const waiting = buffered;
    const waitingTrailers = arrivedTrailers;
    buffered = null;
    if (waiting !== null) {
      const isLast = hasEnded && waitingTrailers === null;
      if (isUnseen) showBody(waiting, isLast);
      else passBody(waiting, isLast);
    }
    if (waitingTrailers === null || trailers !== null) return;
    if (!isUnseen) passTrailers();
    else if ((hold as Hold) !== "all") showTrailers(waitingTrailers);
  };

  const flow: FlowControl = {
    get headers() {
      return headers;
    },
    get body() {
      return body;
    },
    get trailers() {
      return trailers;
    },
    get isEnded() {
      return isEnded;
    },
    get isPaused() {
      return hold !== "nothing";
    },
    get receivedBytes() {
      return receivedBytes;
    },
    seen,
    receiveHeaders: (received, endOfStream) => {
      const map = headerMap(received);
      arrived = map;
      hasEnded = endOfStream;
      seen.set(kinds.headers, map);
      context.maps.set(kinds.headers, map);
      const words = vm.abi === "0.1.0" ? [] : [endOfStream ? 1 : 0];
      ask("headers", [received.length, ...words], (answer) => {
        if (answer === CONTINUE || answer === CONTINUE_AND_END) {
          context.maps.delete(kinds.headers);
          if (hold === "nothing") passHeaders();
        } else {
          const stopsAll = vm.profile.headersPauseStopsAll && !context.plugin.allowsHeadersStop;
          hold = stopsAll || answer > STOP ? "all" : "seen";
        }
      });
      return map.entries();
    },
    receiveBody: (bytes, endOfStream) => {
      if (isStopped()) return;
      hasEnded = endOfStream;
      receivedBytes += bytes.byteLength;
      if (hold === "all") gather(bytes);
      else showBody(bytes, endOfStream);
    },
    receiveTrailers: (received) => {
      const map = headerMap(received);
      if (isStopped()) return map.entries();
      hasEnded = true;
      arrivedTrailers = map;
      seen.set(kinds.trailers, map);
      if (hold !== "all") showTrailers(map);
      return map.entries();
    },
    resume: () => {
      isResumeAsked = isCalling;
      if (isCalling || isStopped()) return;
      if (arrived === null && vm.profile.resumesBeforeAnswer) {
        throw new Died("SIGSEGV", `continuing a ${kinds.name} that has not come`);
      }
      goOn();
    },
    forget: () => {
      for (const kind of [kinds.headers, kinds.trailers]) context.maps.delete(kind);
      if (!isGathered) context.buffers.delete(kinds.body);
    },
    replace: (next, bytes) => {
      const map = headerMap(next);
      seen.set(kinds.headers, map);
      [headers, body, isEnded] = [map.entries(), bytes, true];
      flow.stop();
    },
    stop: () => {
      hold = "stopped";
    },
  };
  return flow;
}

/** A chunk that was held without being kept: Envoy reads on where it was. */
const LOST = {
  get bytes(): Uint8Array {
    throw new Died("SIGSEGV", "reading a body from outside its callback that was not buffered");
  },
};
