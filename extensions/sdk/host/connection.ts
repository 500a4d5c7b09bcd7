import type { Context } from "./context.ts";
import { own, type Properties } from "./properties.ts";
import { BufferKind } from "./status.ts";
import { endContext } from "./stream.ts";
import type { Vm } from "./vm.ts";

/** One TCP connection through a plugin. */
export interface Connection {
  readonly id: number;
  /** What has gone on to the upstream, and back to the client. */
  readonly upstream: Uint8Array;
  readonly downstream: Uint8Array;
  /** Whether the end of the one, and of the other, has gone on as well. */
  readonly isUpstreamEnded: boolean;
  readonly isDownstreamEnded: boolean;
  readonly isPaused: boolean;
  /** Whether the plugin has not let it begin: nothing of it is shown meanwhile. */
  readonly isHeldBack: boolean;
  /** Whether the plugin has closed it. */
  readonly isReset: boolean;
  /** Bytes from the client. */
  receive(bytes: Uint8Array | string, endOfStream?: boolean): void;
  /** Bytes from the upstream. */
  answer(bytes: Uint8Array | string, endOfStream?: boolean): void;
  /**
   * Ends it; the peer is 1 for this side and 2 for the other. Envoy tells the upstream's end when
   * its last bytes come, without a peer, and not here.
   */
  close(peer?: { readonly downstream?: number; readonly upstream?: number }): void;
}

const [DOWNSTREAM, UPSTREAM] = [2, 3];
const [UNKNOWN, REMOTE] = [0, 2];

interface Lane {
  readonly callback: string;
  readonly kind: number;
  held: Uint8Array;
  passed: Uint8Array;
  /** Whether its end has come, and has gone on. */
  hasEnded: boolean;
  isEnded: boolean;
  isPaused: boolean;
}

const lane = (callback: string, kind: number): Lane => ({
  ...{ callback, kind, held: new Uint8Array(), passed: new Uint8Array() },
  ...{ hasEnded: false, isEnded: false, isPaused: false },
});

/** Opens a connection of a root, tells the guest, and asks it whether bytes may flow. */
export function createConnection(vm: Vm, root: Context, properties: Properties = {}): Connection {
  const context = vm.create(root);
  const down = lane("proxy_on_downstream_data", BufferKind.downstreamData);
  const up = lane("proxy_on_upstream_data", BufferKind.upstreamData);
  let isReset = false;
  /** While the connection itself is held back, its bytes are not shown. */
  let isHeldBack = false;
  const flush = (one: Lane) => {
    one.passed = Buffer.concat([one.passed, one.held]);
    one.held = new Uint8Array();
    one.isEnded = one.hasEnded;
    one.isPaused = false;
    context.buffers.delete(one.kind);
  };
  const show = (one: Lane) => {
    context.buffers.set(one.kind, {
      read: () => one.held,
      write: (next) => {
        one.held = next;
      },
    });
    const words = [one.held.byteLength, one.hasEnded ? 1 : 0];
    one.isPaused = (vm.enter(one.callback, context, words) ?? 0) !== 0;
    if (!one.isPaused && !isReset) flush(one);
    if (!one.hasEnded || one !== up || !vm.profile.tellsUpstreamEnd) return;
    vm.enter("proxy_on_upstream_connection_close", context, [UNKNOWN]);
  };
  const send = (one: Lane, bytes: Uint8Array | string, endOfStream: boolean) => {
    if (isReset) return;
    one.held = Buffer.concat([one.held, Buffer.from(bytes as Uint8Array)]);
    one.hasEnded = endOfStream;
    if (!isHeldBack) show(one);
  };
  const resume = (one: Lane) => {
    if (!isHeldBack) return flush(one);
    isHeldBack = false;
    down.isPaused = false;
    if (down.held.byteLength > 0 || down.hasEnded) show(down);
  };
  context.stream = {
    resume: (direction) => {
      if (direction === DOWNSTREAM) resume(down);
      else if (direction === UPSTREAM) resume(up);
    },
    reset: (direction) => {
      if (direction === DOWNSTREAM || direction === UPSTREAM) isReset = true;
    },
    property: (name) => own(properties, name),
  };
  isHeldBack = (vm.enter("proxy_on_new_connection", context) ?? 0) !== 0;
  down.isPaused = isHeldBack;
  return {
    id: context.id,
    get upstream() {
      return down.passed;
    },
    get downstream() {
      return up.passed;
    },
    get isUpstreamEnded() {
      return down.isEnded;
    },
    get isDownstreamEnded() {
      return up.isEnded;
    },
    get isPaused() {
      return down.isPaused || up.isPaused;
    },
    get isHeldBack() {
      return isHeldBack;
    },
    get isReset() {
      return isReset;
    },
    receive: (bytes, endOfStream = false) => send(down, bytes, endOfStream),
    answer: (bytes, endOfStream = false) => send(up, bytes, endOfStream),
    close: ({ downstream = REMOTE, upstream = REMOTE } = {}) => {
      vm.enter("proxy_on_downstream_connection_close", context, [downstream]);
      if (!vm.profile.tellsUpstreamEnd) {
        vm.enter("proxy_on_upstream_connection_close", context, [upstream]);
      }
      const log = () => {
        vm.enter("proxy_on_log", context);
      };
      // TCP ends as the specification has it, in Envoy too.
      endContext({ vm, profile: { ...vm.profile, logsBeforeDone: false } }, context, log);
    },
  };
}
