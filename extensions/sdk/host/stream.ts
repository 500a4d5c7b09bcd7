import { attributes } from "./attributes.ts";
import type { Context, LocalResponse } from "./context.ts";
import { createFlow, type Flow, REQUEST, RESPONSE } from "./flow.ts";
import { type Header, headerMap } from "./header-map.ts";
import { messageOf } from "./local-response.ts";
import type { Profile } from "./profile.ts";
import type { Properties } from "./properties.ts";
import { MapKind } from "./status.ts";
import { Trap } from "./trap.ts";
import type { Vm } from "./vm.ts";

/** One HTTP stream through a plugin. */
export interface Stream {
  /** Its context. */
  readonly id: number;
  readonly request: Flow;
  /** What goes to the client: the upstream's response, or what the plugin answers itself. */
  readonly response: Flow;
  /** What the plugin has answered itself; where it has trapped, the proxy's 503. */
  readonly localResponse: LocalResponse | null;
  /** Whether the plugin has closed it, or it broke off in the middle of a response. */
  readonly isReset: boolean;
  /** Sends the request's headers through, and answers them as the plugin leaves them. */
  requestHeaders(headers: readonly Header[], endOfStream?: boolean): Header[];
  requestBody(bytes: Uint8Array | string, endOfStream?: boolean): void;
  requestTrailers(trailers: readonly Header[]): Header[];
  responseHeaders(headers: readonly Header[], endOfStream?: boolean): Header[];
  responseBody(bytes: Uint8Array | string, endOfStream?: boolean): void;
  responseTrailers(trailers: readonly Header[]): Header[];
  /** The upstream goes away: before it has answered, the proxy does so in its place. */
  breakOff(): void;
  /** The proxy answers the request before the plugin sees it, which is told only to log. */
  refuse(headers: readonly Header[], details: string): void;
  close(): void;
}

export interface StreamOptions {
  /** Properties of this stream alone, before those that follow from what it carries. */
  readonly properties?: Properties;
}

const [REQUEST_DIRECTION, RESPONSE_DIRECTION] = [0, 1];

/** What a proxy answers for a plugin that has trapped. */
const FAILED: LocalResponse = {
  ...{ status: 503, details: "wasm_fail_stream", body: new Uint8Array() },
  ...{ headers: [], grpcStatus: -1 },
};

/** What a proxy answers for an upstream that goes away before it has. */
const BROKEN: LocalResponse = {
  ...FAILED,
  body: Buffer.from(
    "upstream connect error or disconnect/reset before headers. " +
      "reset reason: connection termination",
  ),
};

/** Opens a stream of a root: makes its context and tells the guest. */
export function createStream(vm: Vm, root: Context, { properties = {} }: StreamOptions): Stream {
  const context = vm.create(root);
  const request = createFlow(vm, context, REQUEST);
  const response = createFlow(vm, context, RESPONSE);
  const begunNs = vm.world.clock.nowNs;
  let localResponse: LocalResponse | null = null;
  let details: string | null = null;
  let isReset = false;
  const reset = () => {
    isReset = true;
    request.stop();
    response.stop();
  };
  /** In place of the upstream's response it does not pass through the plugin again. */
  const replace = (local: LocalResponse) => {
    request.stop();
    const { headers, body } = messageOf(local, request.seen.get(MapKind.requestHeaders));
    if (response.headers !== null) reset();
    else response.replace(headers, body);
  };
  const respond = (local: LocalResponse) => {
    if (isReset) return;
    if (response.seen.size > 0) return replace(local);
    const { headers, body } = messageOf(local, request.seen.get(MapKind.requestHeaders));
    response.receiveHeaders(headers, body.byteLength === 0);
    if (body.byteLength > 0) response.receiveBody(body, true);
  };
  /** Runs what leads into the plugin; where it traps, the proxy answers for it. */
  const guarded = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (error instanceof Trap && !response.isEnded) {
        localResponse = FAILED;
        replace(FAILED);
      }
      throw error;
    }
  };
  context.properties = () => ({
    ...attributes({ context, request, response, details, begunNs, nowNs: vm.world.clock.nowNs }),
    ...properties,
  });
  context.stream = {
    resume: (direction) => {
      if (direction === REQUEST_DIRECTION) request.resume();
      else if (direction === RESPONSE_DIRECTION) response.resume();
    },
    forgetRequest: () => request.forget(),
    close: (direction) => {
      if (direction <= RESPONSE_DIRECTION) reset();
    },
    respond: (local) => {
      if (localResponse !== null && response.seen.size === 0) return;
      localResponse = local;
      details = local.details;
      request.stop();
      // It sets out when all has been done that the callback asked for.
      vm.defer(() => respond(local));
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
    requestHeaders: (headers, endOfStream = true) =>
      guarded(() => request.receiveHeaders(headers, endOfStream)),
    requestBody: (bytes, endOfStream = false) =>
      guarded(() => request.receiveBody(Buffer.from(bytes as Uint8Array), endOfStream)),
    requestTrailers: (trailers) => guarded(() => request.receiveTrailers(trailers)),
    responseHeaders: (headers, endOfStream = true) => {
      details ??= "via_upstream";
      return guarded(() => response.receiveHeaders(headers, endOfStream));
    },
    responseBody: (bytes, endOfStream = false) =>
      guarded(() => response.receiveBody(Buffer.from(bytes as Uint8Array), endOfStream)),
    responseTrailers: (trailers) => guarded(() => response.receiveTrailers(trailers)),
    breakOff: () => {
      if (response.seen.size > 0) {
        details = "upstream_reset_after_response_started{protocol_error}";
        return reset();
      }
      details = "upstream_reset_before_response_started{connection_termination}";
      guarded(() => respond(BROKEN));
    },
    refuse: (headers, why) => {
      details = why;
      request.seen.set(MapKind.requestHeaders, headerMap(headers));
      request.stop();
    },
    close: () => {
      request.stop();
      response.stop();
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
