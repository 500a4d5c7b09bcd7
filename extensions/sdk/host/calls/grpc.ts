import type { Context } from "../context.ts";
import { type Header, headerMap } from "../header-map.ts";
import { type Caller, hostcall, text } from "../hostcall.ts";
import { decodePairs } from "../pairs.ts";
import { BufferKind, MapKind, Status } from "../status.ts";
import type { GrpcAnswer } from "../upstreams.ts";
import type { Vm } from "../vm.ts";

export const grpcCalls = {
  proxy_grpc_call: hostcall(
    "bbbbbn",
    "N",
    (caller, cluster, service, method, pairs, message, timeoutMs) => {
      const [metadata, target] = [decodePairs(pairs) ?? [], text(cluster)];
      return open(caller, target, {
        service: text(service),
        method: text(method),
        metadata,
        message,
        timeoutMs,
      });
    },
  ),
  proxy_grpc_stream: hostcall("bbbb", "N", (caller, cluster, service, method, pairs) => {
    const [metadata, target] = [decodePairs(pairs) ?? [], text(cluster)];
    return open(caller, target, { service: text(service), method: text(method), metadata });
  }),
  proxy_grpc_send: hostcall("nbn", "", ({ vm }, id, message, endOfStream) => {
    if (vm.calls.kindOf(id) !== "grpc stream") return Status.badArgument;
    const call = vm.calls.get(id);
    if (call === undefined) return Status.notFound;
    call.send(message, endOfStream !== 0);
    return Status.ok;
  }),
  proxy_grpc_cancel: hostcall("n", "", ({ vm }, id) => end(vm, id)),
  proxy_grpc_close: hostcall("n", "", ({ vm }, id) => end(vm, id)),
};

function end(vm: Vm, id: number): number {
  const kind = vm.calls.kindOf(id);
  if (kind === "http" || kind === null) return Status.badArgument;
  return vm.calls.close(id) ? Status.ok : Status.notFound;
}

interface Target {
  readonly service: string;
  readonly method: string;
  readonly metadata: readonly Header[];
  /** Present for a single call. */
  readonly message?: Uint8Array;
  /** 0, as for a stream, waits for ever. */
  readonly timeoutMs?: number;
}

/** How a single call ends whose answer is late: for Envoy that upstream is not available. */
const LATE: GrpcAnswer = {
  status: 14,
  statusMessage: "upstream request timeout{response_timeout}",
};

function open(
  { vm, context: { root } }: Caller,
  cluster: string,
  { message, timeoutMs = 0, ...target }: Target,
): number | readonly [number] {
  const upstream = vm.world.upstreams.get(cluster);
  if (upstream === undefined) return Status.parseFailure;
  const send = (bytes: Uint8Array, endOfStream: boolean) => {
    const answer = upstream.grpc({ ...target, message: bytes, endOfStream });
    const delayMs = answer.delayMs ?? 0;
    const isLate = timeoutMs > 0 && delayMs > timeoutMs;
    vm.world.clock.after(isLate ? timeoutMs : delayMs, () => {
      if (message === undefined) answerStream(vm, { id, root }, answer);
      else answerCall(vm, { id, root }, isLate ? LATE : answer);
    });
  };
  const id = vm.calls.open(message === undefined ? "grpc stream" : "grpc", send);
  if (message !== undefined) send(message, true);
  return [id];
}

interface Call {
  readonly id: number;
  readonly root: Context;
}

/** A single call ends with its message, or with a status that tells why there is none. */
function answerCall(vm: Vm, { id, root }: Call, answer: GrpcAnswer): void {
  if (!vm.calls.close(id) || !vm.isAlive(root)) return;
  const { status = 0, statusMessage = "", messages: [message = ""] = [] } = answer;
  if (status === 0) receive(vm, { id, root }, message);
  else finish(vm, { id, root }, [status, statusMessage]);
}

function answerStream(vm: Vm, { id, root }: Call, answer: GrpcAnswer): void {
  const isOpen = () => vm.calls.get(id) !== undefined && vm.isAlive(root);
  const { initialMetadata, messages = [], trailingMetadata, status, statusMessage } = answer;
  if (initialMetadata !== undefined && isOpen()) {
    const callback = "proxy_on_grpc_receive_initial_metadata";
    show(
      vm,
      { id, root },
      { kind: MapKind.grpcInitialMetadata, callback, metadata: initialMetadata },
    );
  }
  for (const message of messages) if (isOpen()) receive(vm, { id, root }, message);
  if (trailingMetadata !== undefined && isOpen()) {
    const callback = "proxy_on_grpc_receive_trailing_metadata";
    const kind = MapKind.grpcTrailingMetadata;
    show(vm, { id, root }, { kind, callback, metadata: trailingMetadata });
  }
  if (status === undefined || !isOpen()) return;
  vm.calls.close(id);
  finish(vm, { id, root }, [status, statusMessage ?? ""]);
}

interface Metadata {
  readonly kind: number;
  readonly callback: string;
  readonly metadata: readonly Header[];
}

function show(vm: Vm, { id, root }: Call, { kind, callback, metadata }: Metadata): void {
  root.maps.set(kind, headerMap(metadata));
  vm.enter(callback, root, [id, metadata.length]);
  root.maps.delete(kind);
}

function receive(vm: Vm, { id, root }: Call, message: string | Uint8Array): void {
  const bytes = Buffer.from(message as Uint8Array);
  root.buffers.set(BufferKind.grpcMessage, { bytes });
  vm.enter("proxy_on_grpc_receive", root, [id, bytes.byteLength]);
  root.buffers.delete(BufferKind.grpcMessage);
}

function finish(vm: Vm, { id, root }: Call, status: Context["status"]): void {
  root.status = status;
  vm.enter("proxy_on_grpc_close", root, [id, status[0]]);
  root.status = [Status.ok, ""];
}
