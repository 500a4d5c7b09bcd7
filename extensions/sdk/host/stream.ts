import { attribute, isNamespace } from "./attributes.ts";
import type { Context, LocalResponse, StreamControl } from "./context.ts";
import {
  createLane,
  type Flow,
  forget,
  type Lane,
  REQUEST,
  RESPONSE,
  replace,
  stop,
} from "./flow.ts";
import { type Header, HeaderMap } from "./header-map.ts";
import { messageOf } from "./local-response.ts";
import type { Profile } from "./profile.ts";
import { findProperty, type Properties, type Property } from "./properties.ts";
import { receiveBody, receiveHeaders, receiveTrailers, resume } from "./receive.ts";
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
  return new HttpStream(vm, vm.create(root), properties);
}

/** A stream as the proxy leads it, which it is, and as the plugin may control it. */
class HttpStream implements Stream, StreamControl {
  readonly request: Flow;
  readonly response: Flow;
  localResponse: LocalResponse | null = null;
  isReset = false;
  readonly #vm: Vm;
  readonly #context: Context;
  readonly #properties: Properties;
  readonly #begunNs: bigint;
  readonly #request: Lane;
  readonly #response: Lane;
  /** Who has answered, and why. */
  #details: string | null = null;

  constructor(vm: Vm, context: Context, properties: Properties) {
    this.#vm = vm;
    this.#context = context;
    this.#properties = properties;
    this.#begunNs = vm.world.clock.nowNs;
    this.#request = createLane(vm, context, REQUEST);
    this.#response = createLane(vm, context, RESPONSE);
    this.request = this.#request.passed;
    this.response = this.#response.passed;
    context.stream = this;
  }

  get id(): number {
    return this.#context.id;
  }

  requestHeaders(headers: readonly Header[], endOfStream = true): Header[] {
    return this.#guarded(() => receiveHeaders(this.#request, headers, endOfStream));
  }

  requestBody(bytes: Uint8Array | string, endOfStream = false): void {
    const body = Buffer.from(bytes as Uint8Array);
    this.#guarded(() => receiveBody(this.#request, body, endOfStream));
  }

  requestTrailers(trailers: readonly Header[]): Header[] {
    return this.#guarded(() => receiveTrailers(this.#request, trailers));
  }

  responseHeaders(headers: readonly Header[], endOfStream = true): Header[] {
    this.#details ??= "via_upstream";
    return this.#guarded(() => receiveHeaders(this.#response, headers, endOfStream));
  }

  responseBody(bytes: Uint8Array | string, endOfStream = false): void {
    const body = Buffer.from(bytes as Uint8Array);
    this.#guarded(() => receiveBody(this.#response, body, endOfStream));
  }

  responseTrailers(trailers: readonly Header[]): Header[] {
    return this.#guarded(() => receiveTrailers(this.#response, trailers));
  }

  breakOff(): void {
    if (this.#hasResponse) {
      this.#details = "upstream_reset_after_response_started{protocol_error}";
      this.#break();
      return;
    }
    this.#details = "upstream_reset_before_response_started{connection_termination}";
    this.#guarded(() => this.#send(BROKEN));
  }

  refuse(headers: readonly Header[], details: string): void {
    this.#details = details;
    this.#request.seenHeaders = new HeaderMap(headers);
    stop(this.#request);
  }

  close(): void {
    stop(this.#request);
    stop(this.#response);
    endContext({ vm: this.#vm, profile: this.#vm.profile }, this.#context, () => this.#log());
  }

  resume(direction: number): void {
    if (direction === REQUEST_DIRECTION) resume(this.#request);
    else if (direction === RESPONSE_DIRECTION) resume(this.#response);
  }

  reset(direction: number): void {
    if (direction <= RESPONSE_DIRECTION) this.#break();
  }

  forgetRequest(): void {
    forget(this.#request);
  }

  respond(local: LocalResponse): void {
    if (this.localResponse !== null && !this.#hasResponse) return;
    this.localResponse = local;
    this.#details = local.details;
    stop(this.#request);
    // It sets out when all has been done that the callback asked for.
    this.#vm.defer(() => this.#send(local));
  }

  hasProperties(name: string): boolean {
    return Object.hasOwn(this.#properties, name) || isNamespace(name);
  }

  property(path: readonly string[]): Property | undefined {
    if (Object.hasOwn(this.#properties, path[0] ?? "")) return findProperty(this.#properties, path);
    const observed = {
      context: this.#context,
      request: this.#request,
      response: this.#response,
      details: this.#details,
      begunNs: this.#begunNs,
    };
    return attribute(path, observed);
  }

  get #hasResponse(): boolean {
    return this.#response.seenHeaders !== null || this.#response.seenTrailers !== null;
  }

  #break(): void {
    this.isReset = true;
    stop(this.#request);
    stop(this.#response);
  }

  /** Answers the request, through the plugin unless a response has been there. */
  #send(local: LocalResponse): void {
    if (this.isReset) return;
    if (this.#hasResponse) {
      this.#replace(local);
      return;
    }
    const { headers, body } = messageOf(local, this.#request.seenHeaders);
    receiveHeaders(this.#response, headers, body.byteLength === 0);
    if (body.byteLength > 0) receiveBody(this.#response, body, true);
  }

  /** In place of the upstream's response it does not pass through the plugin again. */
  #replace(local: LocalResponse): void {
    stop(this.#request);
    const { headers, body } = messageOf(local, this.#request.seenHeaders);
    if (this.response.headers !== null) this.#break();
    else replace(this.#response, headers, body);
  }

  /** Runs what leads into the plugin; where it traps, the proxy answers for it. */
  #guarded<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof Trap && !this.response.isEnded) {
        this.localResponse = FAILED;
        this.#replace(FAILED);
      }
      throw error;
    }
  }

  /** Tells the plugin to log, with all there to be read that has come. */
  #log(): void {
    const context = this.#context;
    context.isLogging = true;
    context.maps.clear();
    for (const { kinds, seenHeaders, seenTrailers } of [this.#request, this.#response]) {
      if (seenHeaders !== null) context.maps.set(kinds.headers, seenHeaders);
      if (seenTrailers !== null) context.maps.set(kinds.trailers, seenTrailers);
    }
    this.#vm.enter("proxy_on_log", context);
    context.maps.clear();
    context.isLogging = false;
  }
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
