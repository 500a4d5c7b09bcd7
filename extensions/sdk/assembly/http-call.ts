// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.
// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { Buffer, HeaderMap, Status } from "./abi/codes";
import * as host from "./abi/host";
import { firstOut, firstWord } from "./abi/result";
import { Body } from "./body";
import { Bytes } from "./bytes";
import { HeaderList } from "./header-list";
import { Headers } from "./headers";
import { textLength, textStart } from "./text";

/** Calls of one VM that wait for an answer; beyond them a call is refused at once. */
const CALLS_MAX: i32 = 4096;

/** How long an answer is waited for, where the caller does not say. */
const TIMEOUT_MS: u32 = 1_000;

@lazy const waiting = new Map<u32, HttpCallback>();

/** What came back from an HTTP call. Readable until the callback ends. */
@final
export class HttpResponse {
  readonly headers: Headers = new Headers(HeaderMap.HttpCallResponse);
  readonly body: Body = new Body(Buffer.HttpCallResponseBody);
  readonly trailers: Headers = new Headers(HeaderMap.HttpCallResponseTrailers);
  /**
   * Whether there is no answer, or only half of one. Envoy answers itself where the upstream is not
   * reached or too slow, with 503 or 504: ask for the status that you want.
   */
  hasFailed: bool = false;

  /** The status of the answer; 0 if there is none. */
  get status(): i32 {
    const status = this.headers.get(":status");
    return status == null ? 0 : <i32>status.toInteger();
  }
}

@lazy const response = new HttpResponse();

/**
 * What goes on when a call is answered, where a method of the caller's is not enough. There are no
 * closures in AssemblyScript: a subclass keeps in its fields what it needs.
 */
export abstract class HttpCallback {
  /** The stream or plugin that has called. */
  owner: u32 = 0;

  /** Called once, about the stream that has called; never, if that is gone by then. */
  abstract onResponse(response: HttpResponse): void;
}

/**
 * A request of the plugin's own, to a cluster of the proxy's:
 *
 *     new HttpCall("authz").get("/check").within(50).send(this, this.onChecked);
 */
@final
export class HttpCall {
  readonly headers: HeaderList = new HeaderList();
  readonly trailers: HeaderList = new HeaderList();
  private readonly upstream: string;
  private body: Bytes | null = null;
  private timeoutMs: u32 = TIMEOUT_MS;

  /** Without another `authority` the request names the cluster as its host. */
  constructor(upstream: string, authority: string = upstream) {
    this.upstream = upstream;
    this.headers.add(":authority", authority);
  }

  get<P>(path: P): HttpCall {
    return this.method("GET", path);
  }

  post<P>(path: P, body: Bytes): HttpCall {
    this.body = body;
    return this.method("POST", path);
  }

  /** Any other method. */
  method<M, P>(method: M, path: P): HttpCall {
    this.headers.add(":method", method).add(":path", path);
    return this;
  }

  header<N, V>(name: N, value: V): HttpCall {
    this.headers.add(name, value);
    return this;
  }

  /** How long to wait; at least a millisecond, since a call without end is never forgotten. */
  within(timeoutMs: u32): HttpCall {
    this.timeoutMs = max<u32>(timeoutMs, 1);
    return this;
  }

  /**
   * Sends it for a filter or a plugin, and goes on in an HttpCallback, or in a method of the
   * owner's that takes an HttpResponse: `send(this, this.onAnswer)`. False, and no callback, if it
   * cannot be sent: the cluster is unknown, or too many calls wait.
   */
  send<O, T>(owner: O, then: T): bool {
    if (isFunction<T>()) ERROR("expected an HttpCallback, or a method as in send(this, this.on…)");
    const callback: HttpCallback = changetype<HttpCallback>(then);
    if (waiting.size >= CALLS_MAX) return false;
    const upstream = textStart(this.upstream);
    const upstreamLength = textLength();
    const headers = this.headers.serialize();
    const trailers = this.trailers.serialize();
    const body = this.body;
    const status = host.proxy_http_call(
      upstream, upstreamLength, headers.start, headers.length,
      body == null ? 0 : body.start, body == null ? 0 : body.length,
      trailers.start, trailers.length, this.timeoutMs, firstOut(),
    );
    if (status != Status.Ok) return false;
    callback.owner = owner.id;
    waiting.set(firstWord(), callback);
    return true;
  }
}

/** Hands an answer to whoever waits for it, if that still lives. */
export function answerHttpCall(root: u32, call: u32, headers: u32): void {
  if (!waiting.has(call)) return;
  const callback = waiting.get(call);
  waiting.delete(call);
  const isThere = callback.owner == root
    || host.proxy_set_effective_context(callback.owner) == Status.Ok;
  if (!isThere) return;
  response.hasFailed = headers == 0;
  callback.onResponse(response);
}
