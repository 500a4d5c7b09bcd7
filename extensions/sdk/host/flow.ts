import type { Context } from "./context.ts";
import { type Header, type HeaderMap, headerMap } from "./header-map.ts";
import { BufferKind, MapKind } from "./status.ts";
import type { Vm } from "./vm.ts";

/** One direction of an HTTP stream, as the plugin leaves it to what comes after. */
export interface Flow {
  /** What has gone on; null while the plugin holds it or none has come. */
  readonly headers: Header[] | null;
  readonly body: Uint8Array;
  readonly trailers: Header[] | null;
  readonly isPaused: boolean;
}

export interface FlowControl extends Flow {
  receiveHeaders(headers: readonly Header[], endOfStream: boolean): Header[];
  receiveBody(bytes: Uint8Array, endOfStream: boolean): void;
  receiveTrailers(trailers: readonly Header[]): Header[];
  resume(): void;
  /** Nothing goes on any more. */
  stop(): void;
  /** All that has come, to be logged. */
  readonly seen: ReadonlyMap<number, HeaderMap>;
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

/** How much the plugin holds back: nothing, what it has seen, or what it has not seen as well. */
type Hold = "nothing" | "seen" | "all" | "stopped";

export function createFlow(vm: Vm, context: Context, kinds: Kinds): FlowControl {
  const seen = new Map<number, HeaderMap>();
  let hold: Hold = "nothing";
  let held: HeaderMap | null = null;
  let heldTrailers: HeaderMap | null = null;
  let buffered: Uint8Array = new Uint8Array();
  let waiting: (() => void)[] = [];
  let headers: Header[] | null = null;
  let body: Uint8Array = new Uint8Array();
  let trailers: Header[] | null = null;

  let isCalling = false;
  let isResumeAsked = false;

  /** Calls the plugin; a resumption it asks for meanwhile waits until its answer is acted on. */
  const during = (act: () => void): void => {
    isCalling = true;
    act();
    isCalling = false;
    if (isResumeAsked) flow.resume();
  };

  const passOn = () => {
    headers ??= held?.entries() ?? null;
    body = Buffer.concat([body, buffered]);
    buffered = new Uint8Array();
    trailers ??= heldTrailers?.entries() ?? null;
    hold = "nothing";
  };

  /** Lets the plugin at what is buffered, until the buffer is taken away again. */
  const showBody = (): void => {
    context.buffers.set(kinds.body, {
      get bytes() {
        return buffered;
      },
      write: (next) => {
        buffered = next;
      },
    });
  };

  const pauseOnHeaders = (answer: number): void => {
    const stopsAll = vm.profile.headersPauseStopsAll || answer > STOP;
    if (hold !== "stopped") hold = stopsAll ? "all" : "seen";
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
    get isPaused() {
      return hold !== "nothing";
    },
    seen,
    receiveHeaders: (received, endOfStream) => {
      const map = headerMap(received);
      held = map;
      seen.set(kinds.headers, map);
      context.maps.set(kinds.headers, map);
      const words = vm.abi === "0.1.0" ? [] : [endOfStream ? 1 : 0];
      const callback = `proxy_on_${kinds.name}_headers`;
      during(() => {
        const answer = vm.enter(callback, context, [received.length, ...words]) ?? CONTINUE;
        if (answer === CONTINUE || answer === CONTINUE_AND_END) {
          context.maps.delete(kinds.headers);
          if (hold === "nothing") passOn();
        } else pauseOnHeaders(answer);
      });
      return map.entries();
    },
    receiveBody: (bytes, endOfStream) => {
      if (hold === "stopped") return;
      if (hold === "all") {
        waiting.push(() => flow.receiveBody(bytes, endOfStream));
        return;
      }
      buffered = Buffer.concat([buffered, bytes]);
      showBody();
      const words = [buffered.byteLength, endOfStream ? 1 : 0];
      during(() => {
        const answer = vm.enter(`proxy_on_${kinds.name}_body`, context, words) ?? CONTINUE;
        context.buffers.delete(kinds.body);
        if (hold === ("stopped" as Hold)) return;
        if (answer === CONTINUE) passOn();
        else if (answer >= STOP_WITHOUT_BUFFER) buffered = new Uint8Array();
        else hold = "seen";
      });
    },
    receiveTrailers: (received) => {
      const map = headerMap(received);
      if (hold === "all") {
        waiting.push(() => flow.receiveTrailers(received));
        return map.entries();
      }
      heldTrailers = map;
      seen.set(kinds.trailers, map);
      context.maps.set(kinds.trailers, map);
      const callback = `proxy_on_${kinds.name}_trailers`;
      // A body that the plugin holds back is still its own.
      if (hold === "seen") showBody();
      during(() => {
        const answer = vm.enter(callback, context, [received.length]) ?? CONTINUE;
        context.buffers.delete(kinds.body);
        if (hold === "stopped") return;
        if (answer === CONTINUE) {
          context.maps.delete(kinds.trailers);
          passOn();
        } else hold = "seen";
      });
      return map.entries();
    },
    resume: () => {
      isResumeAsked = isCalling;
      if (isCalling) return;
      if (hold === "stopped" || hold === "nothing") return;
      passOn();
      for (const act of waiting.splice(0)) act();
    },
    stop: () => {
      hold = "stopped";
      waiting = [];
    },
  };
  return flow;
}
