import type { Context } from "../context.ts";
import { type Header, HeaderMap } from "../header-map.ts";
import { type Caller, hostcall, text } from "../hostcall.ts";
import { decodePairs } from "../pairs.ts";
import { BufferKind, MapKind, Status } from "../status.ts";
import type { GrpcAnswer } from "../upstreams.ts";
import type { Vm } from "../vm.ts";

export const grpcCalls = {
  proxy_grpc_call: hostcall(
    "bttbbn",
    "N",
    (caller, cluster, service, method, pairs, message, timeoutMs) => {
      const [metadata, target] = [decodePairs(pairs) ?? [], clusterOf(cluster)];
      return open(caller, target, {
        service,
        method,
        metadata,
        message,
        timeoutMs,
      });
    },
  ),
  proxy_grpc_stream: hostcall("bttb", "N", (caller, cluster, service, method, pairs) => {
    const [metadata, target] = [decodePairs(pairs) ?? [], clusterOf(cluster)];
    return open(caller, target, { service, method, metadata });
  }),
  proxy_grpc_send: hostcall("nbn", "", ({ vm }, id, message, endOfStream) => {
    if (vm.calls.kindOf(id) !== "grpc stream") return Status.badArgument;
    const call = vm.calls.get(id);
    if (call === undefined) return Status.notFound;
    call.send(message, endOfStream !== 0);
    return Status.ok;
  }),
  proxy_grpc_cancel: hostcall("n", "", ({ vm }, id) => end(vm, id)),
  proxy_grpc_close: hostcall("n", "", ({ vm }, id) => {
    const stream = vm.calls.kindOf(id) === "grpc stream" ? vm.calls.get(id) : undefined;
    if (stream === undefined || !vm.profile.closesHalf) return end(vm, id);
    stream.end();
    return Status.ok;
  }),
};

function end(vm: Vm, id: number): number {
  const kind = vm.calls.kindOf(id);
  if (kind === "http" || kind === null) return Status.badArgument;
  return vm.calls.close(id) ? Status.ok : Status.notFound;
}

/** A cluster by its name, or as the Envoy's GrpcService whose envoy_grpc has it. */
function clusterOf(bytes: Uint8Array): string {
  const [outer, outerLength = 0, inner, innerLength = 0] = bytes;
  const isService = outer === 10 && inner === 10 && outerLength === bytes.length - 2;
  return text(isService ? bytes.subarray(4, 4 + innerLength) : bytes);
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

const UNAVAILABLE = 14;

/** How calls end that nobody answers, in time or at all; Envoy tells what it would its clients. */
const LATE: GrpcAnswer = { status: 4, statusMessage: "deadline exceeded" };
const BROKEN: GrpcAnswer = { status: UNAVAILABLE };
const ENVOY_LATE = "upstream request timeout{response_timeout}";
const ENVOY_BROKEN =
  "upstream connect error or disconnect/reset before headers. reset reason: remote reset" +
  "{upstream_reset_before_response_started{remote_reset}}";

function open(
  { vm, context: { root } }: Caller,
  cluster: string,
  { message, timeoutMs = 0, ...target }: Target,
): number | readonly [number] {
  const upstream = vm.world.upstreams.get(cluster);
  if (upstream === undefined) return Status.parseFailure;
  const call = { id: 0, root, hasEnded: false, hasBegun: false };
  const ask = (bytes: Uint8Array, endOfStream: boolean, isEnd = false) => {
    if (call.hasEnded) return;
    call.hasEnded = endOfStream;
    const request = { ...target, message: bytes, endOfStream, ...(isEnd && { isEnd }) };
    const asked = upstream.grpc(request);
    const delayMs = asked === "reset" ? 0 : (asked.delayMs ?? 0);
    const isLate = timeoutMs > 0 && delayMs > timeoutMs;
    const answer = isLate || asked === "reset" ? failed(vm, isLate) : told(vm, asked);
    vm.world.clock.after(isLate ? timeoutMs : delayMs, () => {
      if (message === undefined) answerStream(vm, call, answer);
      else answerCall(vm, call, answer);
    });
  };
  call.id = vm.calls.open(message === undefined ? "grpc stream" : "grpc", {
    send: (bytes, endOfStream) => ask(bytes, endOfStream),
    end: () => ask(new Uint8Array(), true, true),
  });
  if (message !== undefined) ask(message, true);
  return [call.id];
}

function failed({ profile }: Vm, isLate: boolean): GrpcAnswer {
  if (!profile.answersFailedCallouts) return isLate ? LATE : BROKEN;
  return { status: UNAVAILABLE, statusMessage: isLate ? ENVOY_LATE : ENVOY_BROKEN };
}

/** An answer with the words of its status as the plugin is told them: Envoy adds who said them. */
function told({ profile }: Vm, answer: GrpcAnswer): GrpcAnswer {
  const { status, statusMessage = "" } = answer;
  if (status === undefined || !profile.answersFailedCallouts) return answer;
  const words = statusMessage === "" ? "via_upstream" : `${statusMessage}{via_upstream}`;
  return { ...answer, statusMessage: words };
}

interface Call {
  readonly id: number;
  readonly root: Context;
  /** Whether the plugin sends no more, and whether the server has been heard of. */
  readonly hasEnded: boolean;
  hasBegun: boolean;
}

const NO_MESSAGE = 13;

/** A single call ends with its last message, or with a status that tells why there is none. */
function answerCall(vm: Vm, call: Call, answer: GrpcAnswer): void {
  const { status = 0, statusMessage = "", messages = [] } = answer;
  if (vm.calls.get(call.id) === undefined || !vm.isAlive(call.root)) return;
  const last = messages.at(-1);
  if (status !== 0) finish(vm, call, [status, statusMessage]);
  else if (last === undefined) finish(vm, call, [NO_MESSAGE, ""]);
  else receive(vm, call, last);
  vm.calls.close(call.id);
}

function answerStream(vm: Vm, call: Call, answer: GrpcAnswer): void {
  const isOpen = () => vm.calls.get(call.id) !== undefined && vm.isAlive(call.root);
  const { initialMetadata, messages = [], trailingMetadata = [], status } = answer;
  const isOver = status !== undefined;
  const begins = initialMetadata !== undefined || messages.length > 0;
  // A server that ends at once has headers alone, and they are its trailers.
  const isBare = isOver && !begins && !call.hasBegun;
  const head = headOf(vm, call);
  if ((begins || isOver) && !call.hasBegun && isOpen()) {
    call.hasBegun = true;
    show(vm, call, {
      kind: MapKind.grpcInitialMetadata,
      callback: "proxy_on_grpc_receive_initial_metadata",
      metadata: isBare ? [] : [...head, ...(initialMetadata ?? [])],
    });
  }
  for (const message of messages) if (isOpen()) receive(vm, call, message);
  if (!isOver || !isOpen()) return;
  const words = answer.statusMessage ?? "";
  const own: Header[] = [
    ["grpc-status", String(status)],
    ["grpc-message", words],
  ];
  show(vm, call, {
    kind: MapKind.grpcTrailingMetadata,
    callback: "proxy_on_grpc_receive_trailing_metadata",
    metadata: [...(isBare ? head : []), ...own, ...trailingMetadata],
  });
  if (!isOpen()) return;
  finish(vm, call, [status, words]);
  vm.calls.close(call.id);
}

/** Headers that every answer has; Envoy adds how long it took, once all has been asked. */
function headOf({ profile }: Vm, { hasEnded }: Call): Header[] {
  const isTimed = hasEnded && profile.answersFailedCallouts;
  return [
    [":status", "200"],
    ["content-type", "application/grpc"],
    ...(isTimed ? [["x-envoy-upstream-service-time", "0"] as const] : []),
  ];
}

interface Metadata {
  readonly kind: number;
  readonly callback: string;
  readonly metadata: readonly Header[];
}

function show(vm: Vm, { id, root }: Call, { kind, callback, metadata }: Metadata): void {
  root.maps.set(kind, new HeaderMap(metadata));
  vm.enter(callback, root, [id, metadata.length]);
  root.maps.delete(kind);
}

function receive(vm: Vm, { id, root }: Call, message: string | Uint8Array): void {
  let bytes: Uint8Array = Buffer.from(message as Uint8Array);
  root.buffers.set(BufferKind.grpcMessage, {
    read: () => bytes,
    write: (next) => {
      bytes = next;
    },
  });
  vm.enter("proxy_on_grpc_receive", root, [id, bytes.byteLength]);
  root.buffers.delete(BufferKind.grpcMessage);
}

function finish(vm: Vm, { id, root }: Call, status: Context["status"]): void {
  root.status = status;
  vm.enter("proxy_on_grpc_close", root, [id, status[0]]);
  root.status = [Status.ok, ""];
}
