import { Died } from "./died.ts";
import {
  gather,
  gathered,
  hold,
  type Lane,
  NOTHING,
  passBody,
  passHeaders,
  passTrailers,
  REQUEST,
} from "./flow.ts";
import { type Header, HeaderMap } from "./header-map.ts";

// Leads one direction through the plugin as Envoy's filter manager does: a filter that holds on is
// shown nothing, or gathers; when it goes on, all that waits goes on with it.

/** What callbacks answer: for headers and, in part, for body and trailers. */
const CONTINUE = 0;
const STOP = 1;
const CONTINUE_AND_END = 2;
const STOP_WITHOUT_BUFFER = 3;

/** Shows headers that have come, and answers them as the plugin leaves them. */
export function receiveHeaders(
  lane: Lane,
  received: readonly Header[],
  endOfStream: boolean,
): Header[] {
  const { vm, context, kinds } = lane;
  const map = new HeaderMap(received);
  lane.headers = map;
  lane.hasEnded = endOfStream;
  lane.seenHeaders = map;
  context.maps.set(kinds.headers, map);
  const words = vm.abi === "0.1.0" ? [received.length] : [received.length, endOfStream ? 1 : 0];
  ask(lane, { callback: kinds.onHeaders, words }, (answer) => {
    if (answer === CONTINUE || answer === CONTINUE_AND_END) {
      context.maps.delete(kinds.headers);
      if (lane.hold === "nothing") passHeaders(lane);
    } else {
      const stopsAll = vm.profile.headersPauseStopsAll && !context.plugin.allowsHeadersStop;
      hold(lane, stopsAll || answer > STOP ? "all" : "seen");
    }
  });
  return map.entries();
}

export function receiveBody(lane: Lane, bytes: Uint8Array, endOfStream: boolean): void {
  if (lane.hold === "stopped") return;
  lane.hasEnded = endOfStream;
  lane.receivedBytes += bytes.byteLength;
  if (lane.hold === "all") gather(lane, bytes);
  else showBody(lane, bytes, endOfStream);
}

/** As receiveHeaders. */
export function receiveTrailers(lane: Lane, received: readonly Header[]): Header[] {
  const map = new HeaderMap(received);
  if (lane.hold === "stopped") return map.entries();
  lane.hasEnded = true;
  lane.trailers = map;
  lane.seenTrailers = map;
  if (lane.hold !== "all") showTrailers(lane, map);
  return map.entries();
}

/** Does as the plugin asks, to let all go on that waits. */
export function resume(lane: Lane): void {
  lane.isResumeAsked = lane.isCalling;
  if (lane.isCalling || lane.hold === "stopped") return;
  if (lane.headers === null && lane.vm.profile.resumesBeforeAnswer) {
    throw new Died("SIGSEGV", `continuing a ${lane.kinds.name} that has not come`);
  }
  goOn(lane);
}

interface Question {
  readonly callback: string;
  readonly words: readonly number[];
}

/** Calls the plugin. By the specification what it asks for meanwhile waits for its answer. */
function ask(lane: Lane, { callback, words }: Question, act: (answer: number) => void): void {
  const { vm, context } = lane;
  lane.isCalling = !vm.profile.resumesBeforeAnswer;
  const answer = vm.enter(callback, context, words) ?? CONTINUE;
  if (lane.hold !== "stopped") act(answer);
  lane.isCalling = false;
  if (lane.isResumeAsked) resume(lane);
}

/** Shows the plugin a chunk, with those before it that it has asked to be gathered. */
function showBody(lane: Lane, bytes: Uint8Array, endOfStream: boolean): void {
  const { context, kinds } = lane;
  let chunk = bytes;
  lane.isGathered = lane.isGathering;
  if (lane.isGathering) {
    gather(lane, bytes);
    chunk = NOTHING;
  }
  const write = (next: Uint8Array) => {
    chunk = next;
  };
  const buffer = lane.isGathering ? gathered(lane) : { read: () => chunk, write };
  context.buffers.set(kinds.body, buffer);
  const added = new HeaderMap([]);
  // At the end of a body without trailers there may be some yet.
  if (endOfStream) context.maps.set(kinds.trailers, added);
  const words = [buffer.read().byteLength, endOfStream ? 1 : 0];
  ask(lane, { callback: kinds.onBody, words }, (answer) => {
    context.buffers.delete(kinds.body);
    if (endOfStream) {
      context.maps.delete(kinds.trailers);
      if (added.size > 0) lane.trailers = added;
    }
    lane.isGathering = false;
    if (answer !== CONTINUE) return holdBody(lane, answer, chunk);
    if (lane.hold === "seen") {
      gather(lane, chunk);
      goOn(lane);
    } else {
      passBody(lane, chunk, endOfStream);
      if (lane.trailers === added) passTrailers(lane);
    }
  });
}

function holdBody(lane: Lane, answer: number, chunk: Uint8Array): void {
  hold(lane, "seen");
  if (answer < STOP_WITHOUT_BUFFER) gather(lane, chunk);
  else if (lane.hasEnded && lane.trailers === null) lane.buffered ??= NOTHING;
  lane.isGathering = answer === STOP;
  lane.isGathered = lane.isGathering;
  lane.context.buffers.set(lane.kinds.body, lane.isGathering ? gathered(lane) : LOST);
}

/** A chunk that was held without being kept: Envoy reads on where it was. */
const LOST = {
  read: (): Uint8Array => {
    throw new Died("SIGSEGV", "reading a body from outside its callback that was not buffered");
  },
};

function showTrailers(lane: Lane, map: HeaderMap): void {
  const { context, kinds } = lane;
  context.maps.set(kinds.trailers, map);
  ask(lane, { callback: kinds.onTrailers, words: [map.size] }, (answer) => {
    if (answer !== CONTINUE) {
      if (lane.hold === "nothing") hold(lane, "seen");
      return;
    }
    context.maps.delete(kinds.trailers);
    if (lane.hold === "seen") goOn(lane);
    else passTrailers(lane);
  });
}

/** Lets all go on that waits. What the plugin has not seen yet it is shown first. */
function goOn(lane: Lane): void {
  if (lane.hold === "stopped" || lane.headers === null) return;
  const isUnseen = lane.hold === "all";
  hold(lane, "nothing");
  lane.isGathering = false;
  // Envoy leaves those of a response where they are.
  const { maps, buffers } = lane.context;
  if (lane.kinds === REQUEST || !lane.vm.profile.resumesBeforeAnswer) {
    maps.delete(lane.kinds.headers);
    maps.delete(lane.kinds.trailers);
  }
  buffers.delete(lane.kinds.body);
  if (lane.passed.headers === null) passHeaders(lane);
  const { buffered, trailers } = lane;
  lane.buffered = null;
  if (buffered !== null) {
    const isLast = lane.hasEnded && trailers === null;
    if (isUnseen) showBody(lane, buffered, isLast);
    else passBody(lane, buffered, isLast);
  }
  if (trailers === null || lane.passed.trailers !== null) return;
  if (!isUnseen) passTrailers(lane);
  else if (lane.hold !== "all") showTrailers(lane, trailers);
}
