import type { Context } from "./context.ts";
import type { Properties } from "./properties.ts";
import { BufferKind } from "./status.ts";
import { endContext } from "./stream.ts";
import type { Vm } from "./vm.ts";

/** One TCP connection through a plugin. */
export interface Connection {
  readonly id: number;
  /** What has gone on to the upstream, and back to the client. */
  readonly upstream: Uint8Array;
  readonly downstream: Uint8Array;
  readonly isPaused: boolean;
  /** Whether the plugin has closed it. */
  readonly isReset: boolean;
  /** Bytes from the client. */
  receive(bytes: Uint8Array | string, endOfStream?: boolean): void;
  /** Bytes from the upstream. */
  answer(bytes: Uint8Array | string, endOfStream?: boolean): void;
  /** Ends it; the peer is 1 for this side and 2 for the other. */
  close(peer?: { readonly downstream?: number; readonly upstream?: number }): void;
}

const [DOWNSTREAM, UPSTREAM] = [2, 3];
const REMOTE = 2;

interface Lane {
  readonly callback: string;
  readonly kind: number;
  held: Uint8Array;
  passed: Uint8Array;
  isPaused: boolean;
}

const lane = (callback: string, kind: number): Lane => {
  return { callback, kind, held: new Uint8Array(), passed: new Uint8Array(), isPaused: false };
};

/** Opens a connection of a root, tells the guest, and asks it whether bytes may flow. */
export function createConnection(vm: Vm, root: Context, properties: Properties = {}): Connection {
  const context = vm.create(root);
  const down = lane("proxy_on_downstream_data", BufferKind.downstreamData);
  const up = lane("proxy_on_upstream_data", BufferKind.upstreamData);
  let isReset = false;
  const flush = (one: Lane) => {
    one.passed = Buffer.concat([one.passed, one.held]);
    one.held = new Uint8Array();
    one.isPaused = false;
  };
  const send = (one: Lane, bytes: Uint8Array | string, endOfStream: boolean) => {
    if (isReset) return;
    one.held = Buffer.concat([one.held, Buffer.from(bytes as Uint8Array)]);
    context.buffers.set(one.kind, {
      get bytes() {
        return one.held;
      },
      write: (next) => {
        one.held = next;
      },
    });
    const answer = vm.enter(one.callback, context, [one.held.byteLength, endOfStream ? 1 : 0]);
    context.buffers.delete(one.kind);
    one.isPaused = (answer ?? 0) !== 0;
    if (!one.isPaused && !isReset) flush(one);
  };
  context.properties = () => properties;
  context.stream = {
    resume: (direction) => {
      if (direction === DOWNSTREAM) flush(down);
      else if (direction === UPSTREAM) flush(up);
    },
    close: (direction) => {
      if (direction === DOWNSTREAM || direction === UPSTREAM) isReset = true;
    },
  };
  down.isPaused = (vm.enter("proxy_on_new_connection", context) ?? 0) !== 0;
  return {
    id: context.id,
    get upstream() {
      return down.passed;
    },
    get downstream() {
      return up.passed;
    },
    get isPaused() {
      return down.isPaused || up.isPaused;
    },
    get isReset() {
      return isReset;
    },
    receive: (bytes, endOfStream = false) => send(down, bytes, endOfStream),
    answer: (bytes, endOfStream = false) => send(up, bytes, endOfStream),
    close: ({ downstream = REMOTE, upstream = REMOTE } = {}) => {
      vm.enter("proxy_on_downstream_connection_close", context, [downstream]);
      vm.enter("proxy_on_upstream_connection_close", context, [upstream]);
      const log = () => {
        vm.enter("proxy_on_log", context);
      };
      // TCP ends as the specification has it, in Envoy too.
      endConnection(vm, context, log);
    },
  };
}

function endConnection(vm: Vm, context: Context, log: () => void): void {
  const profile = { ...vm.profile, logsBeforeDone: false };
  endContext({ vm, profile }, context, log);
}
