import { attributes } from "./attributes.ts";
import type { Context, LocalResponse } from "./context.ts";
import { createFlow, type Flow, REQUEST, RESPONSE } from "./flow.ts";
import { type Header, headerMap } from "./header-map.ts";
import type { Profile } from "./profile.ts";
import type { Properties } from "./properties.ts";
import type { Vm } from "./vm.ts";

/** One HTTP stream through a plugin. */
export interface Stream {
  /** Its context. */
  readonly id: number;
  readonly request: Flow;
  readonly response: Flow;
  /** What the plugin has answered itself. */
  readonly localResponse: LocalResponse | null;
  /** Whether the plugin has closed it. */
  readonly isReset: boolean;
  /** Sends the request's headers through, and answers them as the plugin leaves them. */
  requestHeaders(headers: readonly Header[], endOfStream?: boolean): Header[];
  requestBody(bytes: Uint8Array | string, endOfStream?: boolean): void;
  requestTrailers(trailers: readonly Header[]): Header[];
  responseHeaders(headers: readonly Header[], endOfStream?: boolean): Header[];
  responseBody(bytes: Uint8Array | string, endOfStream?: boolean): void;
  responseTrailers(trailers: readonly Header[]): Header[];
  close(): void;
}

export interface StreamOptions {
  /** Properties of this stream alone, before those that follow from its headers. */
  readonly properties?: Properties;
}

const [REQUEST_DIRECTION, RESPONSE_DIRECTION] = [0, 1];

/** Opens a stream of a root: makes its context and tells the guest. */
export function createStream(vm: Vm, root: Context, { properties = {} }: StreamOptions): Stream {
  const context = vm.create(root);
  const request = createFlow(vm, context, REQUEST);
  const response = createFlow(vm, context, RESPONSE);
  let localResponse: LocalResponse | null = null;
  let isReset = false;
  const stop = () => {
    request.stop();
    response.stop();
  };
  context.properties = () => ({ ...attributes(context, localResponse), ...properties });
  context.stream = {
    resume: (direction) => {
      if (direction === REQUEST_DIRECTION) request.resume();
      else if (direction === RESPONSE_DIRECTION) response.resume();
    },
    close: (direction) => {
      if (direction > RESPONSE_DIRECTION) return;
      isReset = true;
      stop();
    },
    respond: (local) => {
      if (localResponse !== null) return;
      localResponse = local;
      request.stop();
      // In place of the upstream's response it does not pass through the plugin again.
      if (response.seen.size > 0) return response.stop();
      response.receiveHeaders(headersOf(local), local.body.byteLength === 0);
      if (local.body.byteLength > 0) response.receiveBody(local.body, true);
    },
  };
  return {
    id: context.id,
    request,
    response,
    get localResponse() {
      return localResponse;
    },
    get isReset() {
      return isReset;
    },
    requestHeaders: (headers, endOfStream = true) => request.receiveHeaders(headers, endOfStream),
    requestBody: (bytes, endOfStream = false) =>
      request.receiveBody(Buffer.from(bytes as Uint8Array), endOfStream),
    requestTrailers: (trailers) => request.receiveTrailers(trailers),
    responseHeaders: (headers, endOfStream = true) => response.receiveHeaders(headers, endOfStream),
    responseBody: (bytes, endOfStream = false) =>
      response.receiveBody(Buffer.from(bytes as Uint8Array), endOfStream),
    responseTrailers: (trailers) => response.receiveTrailers(trailers),
    close: () => {
      stop();
      const log = () => {
        context.isLogging = true;
        context.maps.clear();
        for (const [kind, map] of [...request.seen, ...response.seen]) context.maps.set(kind, map);
        vm.enter("proxy_on_log", context);
        context.maps.clear();
        context.isLogging = false;
      };
      endContext({ vm, profile: vm.profile }, context, log);
    },
  };
}

/** The headers of a plugin's own answer: what tells of its body is made to fit. */
function headersOf({ status, headers, body }: LocalResponse): Header[] {
  const map = headerMap([[":status", String(status)], ...headers]);
  if (body.byteLength === 0) {
    map.remove("content-length");
    map.remove("content-type");
  } else {
    map.replace("content-length", String(body.byteLength));
    if (map.first("content-type") === undefined) map.add("content-type", "text/plain");
  }
  return map.entries();
}

/** Ends a context, in the order of the profile; `log` tells the guest to log, if it ever does. */
export function endContext(
  { vm, profile }: { readonly vm: Vm; readonly profile: Profile },
  context: Context,
  log: () => void,
): void {
  const { logsBeforeDone, onlyRootsDefer } = profile;
  const finish = () => {
    if (!logsBeforeDone) log();
    vm.enter("proxy_on_delete", context);
    vm.remove(context);
  };
  if (logsBeforeDone) log();
  const isDone = vm.enter("proxy_on_done", context) !== 0;
  const mayDefer = !onlyRootsDefer || context.root === context;
  context.isDonePending = !isDone && mayDefer;
  context.onDone = finish;
  if (!context.isDonePending) finish();
}
