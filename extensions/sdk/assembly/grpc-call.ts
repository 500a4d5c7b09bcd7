// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Buffer, GrpcStatus, HeaderMap, Status } from "./abi/codes";
import * as host from "./abi/host";
import { firstOut, firstWord, secondBufferOut, secondOut, thirdOut } from "./abi/result";
import { Body } from "./body";
import { Bytes } from "./bytes";
import { watchStreamEnds } from "./contexts";
import { HeaderList } from "./header-list";
import { Headers } from "./headers";
import { textLength, textStart } from "./text";

/** Calls and streams of one VM that are open; beyond them a call is refused at once. */
const CALLS_MAX: i32 = 4096;

/** The low bits of a call's id tell its kind. */
const KIND_MASK: u32 = 3;
const UNARY_KIND: u32 = 1;

@lazy const open = new Map<u32, GrpcCallback>();

@lazy const message = new Body(Buffer.GrpcMessage);
@lazy const initialMetadata = new Headers(HeaderMap.GrpcInitialMetadata);
@lazy const trailingMetadata = new Headers(HeaderMap.GrpcTrailingMetadata);

/** What goes on when a call or stream is answered. As with `HttpCallback`, fields keep the rest. */
export abstract class GrpcCallback {
  /** The filter or plugin that has called. */
  owner: u32 = 0;

  onInitialMetadata(_metadata: Headers): void {}

  /** A message has arrived: the only one of a call, or one of a stream's. */
  onMessage(_message: Body, _size: u32): void {}

  onTrailingMetadata(_metadata: Headers): void {}

  /** The stream is closed, or the call has failed. A call that succeeds ends by its message. */
  onClose(_status: GrpcStatus): void {}
}

/** A service's method, at a cluster of the proxy's (or a serialized core.v3.GrpcService). */
@final
export class GrpcMethod {
  readonly metadata: HeaderList = new HeaderList();
  private readonly upstream: Bytes;
  private readonly service: Bytes;
  private readonly method: Bytes;

  constructor(upstream: string, service: string, method: string) {
    this.upstream = Bytes.of(upstream);
    this.service = Bytes.of(service);
    this.method = Bytes.of(method);
  }

  /** Calls it once. Null, and no callback, if it cannot be sent. */
  call<O, M>(owner: O, request: M, timeoutMs: u32, then: GrpcCallback): GrpcStream | null {
    if (open.size >= CALLS_MAX) return null;
    const metadata = this.metadata.serialize();
    const text = textStart<M>(request);
    const status = host.proxy_grpc_call(
      this.upstream.start, this.upstream.length, this.service.start, this.service.length,
      this.method.start, this.method.length, metadata.start, metadata.length,
      text, textLength(), max<u32>(timeoutMs, 1), firstOut(),
    );
    return status == Status.Ok ? track(firstWord(), owner.id, then) : null;
  }

  /** Opens a stream. Null, and no callback, if it cannot be opened. */
  open<O>(owner: O, then: GrpcCallback): GrpcStream | null {
    if (open.size >= CALLS_MAX) return null;
    const metadata = this.metadata.serialize();
    const status = host.proxy_grpc_stream(
      this.upstream.start, this.upstream.length, this.service.start, this.service.length,
      this.method.start, this.method.length, metadata.start, metadata.length, firstOut(),
    );
    return status == Status.Ok ? track(firstWord(), owner.id, then) : null;
  }
}

/** An open call or stream, from the side of the plugin. It is cancelled when its owner ends. */
@final
export class GrpcStream {
  constructor(readonly id: u32) {}

  /** Sends a message of a stream. False if it is closed. */
  send<M>(message: M, isLast: bool = false): bool {
    const text = textStart<M>(message);
    return host.proxy_grpc_send(this.id, text, textLength(), isLast ? 1 : 0) == Status.Ok;
  }

  /** Ends the sending side of a stream; answers may still come. */
  close(): bool {
    return host.proxy_grpc_close(this.id) == Status.Ok;
  }

  /** Ends it without waiting for anything; nothing is called back any more. */
  cancel(): bool {
    open.delete(this.id);
    return host.proxy_grpc_cancel(this.id) == Status.Ok;
  }
}

/** What the host says of the last call that failed, or null. Only in `onClose`. */
export function grpcStatusMessage(): Bytes | null {
  const status = host.proxy_get_status(firstOut(), secondOut(), thirdOut());
  return status == Status.Ok ? secondBufferOut() : null;
}

function track(id: u32, owner: u32, then: GrpcCallback): GrpcStream {
  watchStreamEnds(cancelCallsOf);
  then.owner = owner;
  open.set(id, then);
  return new GrpcStream(id);
}

/** The callback of a call, about whose owner hostcalls are from now on; null if that is gone. */
function callbackOf(root: u32, call: u32): GrpcCallback | null {
  if (!open.has(call)) return null;
  const callback = open.get(call);
  const isThere = callback.owner == root
    || host.proxy_set_effective_context(callback.owner) == Status.Ok;
  if (isThere) return callback;
  open.delete(call);
  return null;
}

export function receiveInitialMetadata(root: u32, call: u32): void {
  const callback = callbackOf(root, call);
  if (callback != null) callback.onInitialMetadata(initialMetadata);
}

export function receiveMessage(root: u32, call: u32, size: u32): void {
  const callback = callbackOf(root, call);
  if ((call & KIND_MASK) == UNARY_KIND) open.delete(call);
  if (callback != null) callback.onMessage(message, size);
}

export function receiveTrailingMetadata(root: u32, call: u32): void {
  const callback = callbackOf(root, call);
  if (callback != null) callback.onTrailingMetadata(trailingMetadata);
}

export function receiveClose(root: u32, call: u32, status: GrpcStatus): void {
  const callback = callbackOf(root, call);
  open.delete(call);
  if (callback != null) callback.onClose(status);
}

function cancelCallsOf(owner: u32): void {
  if (open.size == 0) return;
  const calls = open.keys();
  for (let i = 0; i < calls.length; i++) {
    if (open.get(calls[i]).owner != owner) continue;
    open.delete(calls[i]);
    host.proxy_grpc_cancel(calls[i]);
  }
}
