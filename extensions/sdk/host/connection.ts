import type { Context, StreamControl } from "./context.ts";
import { findProperty, type Properties, type Property } from "./properties.ts";
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
  const connection = new TcpConnection(vm, vm.create(root), properties);
  connection.begin();
  return connection;
}

/** A connection as the proxy leads it, which it is, and as the plugin may control it. */
class TcpConnection implements Connection, StreamControl {
  isHeldBack = false;
  isReset = false;
  readonly #vm: Vm;
  readonly #context: Context;
  readonly #properties: Properties;
  readonly #down = lane("proxy_on_downstream_data", BufferKind.downstreamData);
  readonly #up = lane("proxy_on_upstream_data", BufferKind.upstreamData);

  constructor(vm: Vm, context: Context, properties: Properties) {
    this.#vm = vm;
    this.#context = context;
    this.#properties = properties;
    context.stream = this;
  }

  begin(): void {
    this.isHeldBack = (this.#vm.enter("proxy_on_new_connection", this.#context) ?? 0) !== 0;
    this.#down.isPaused = this.isHeldBack;
  }

  get id(): number {
    return this.#context.id;
  }

  get upstream(): Uint8Array {
    return this.#down.passed;
  }

  get downstream(): Uint8Array {
    return this.#up.passed;
  }

  get isUpstreamEnded(): boolean {
    return this.#down.isEnded;
  }

  get isDownstreamEnded(): boolean {
    return this.#up.isEnded;
  }

  get isPaused(): boolean {
    return this.#down.isPaused || this.#up.isPaused;
  }

  receive(bytes: Uint8Array | string, endOfStream = false): void {
    this.#send(this.#down, bytes, endOfStream);
  }

  answer(bytes: Uint8Array | string, endOfStream = false): void {
    this.#send(this.#up, bytes, endOfStream);
  }

  close({ downstream = REMOTE, upstream = REMOTE } = {}): void {
    const [vm, context] = [this.#vm, this.#context];
    vm.enter("proxy_on_downstream_connection_close", context, [downstream]);
    if (!vm.profile.tellsUpstreamEnd) {
      vm.enter("proxy_on_upstream_connection_close", context, [upstream]);
    }
    const log = () => {
      vm.enter("proxy_on_log", context);
    };
    // TCP ends as the specification has it, in Envoy too.
    endContext({ vm, profile: { ...vm.profile, logsBeforeDone: false } }, context, log);
  }

  resume(direction: number): void {
    if (direction === DOWNSTREAM) this.#resume(this.#down);
    else if (direction === UPSTREAM) this.#resume(this.#up);
  }

  reset(direction: number): void {
    if (direction === DOWNSTREAM || direction === UPSTREAM) this.isReset = true;
  }

  hasProperties(name: string): boolean {
    return Object.hasOwn(this.#properties, name);
  }

  property(path: readonly string[]): Property | undefined {
    return findProperty(this.#properties, path);
  }

  /** While the connection itself is held back, its bytes are not shown. */
  #send(one: Lane, bytes: Uint8Array | string, endOfStream: boolean): void {
    if (this.isReset) return;
    one.held = Buffer.concat([one.held, Buffer.from(bytes as Uint8Array)]);
    one.hasEnded = endOfStream;
    if (!this.isHeldBack) this.#show(one);
  }

  #show(one: Lane): void {
    const [vm, context] = [this.#vm, this.#context];
    const write = (next: Uint8Array) => {
      one.held = next;
    };
    context.buffers.set(one.kind, { read: () => one.held, write });
    const words = [one.held.byteLength, one.hasEnded ? 1 : 0];
    one.isPaused = (vm.enter(one.callback, context, words) ?? 0) !== 0;
    if (!one.isPaused && !this.isReset) this.#flush(one);
    if (!one.hasEnded || one !== this.#up || !vm.profile.tellsUpstreamEnd) return;
    vm.enter("proxy_on_upstream_connection_close", context, [UNKNOWN]);
  }

  #flush(one: Lane): void {
    one.passed = Buffer.concat([one.passed, one.held]);
    one.held = new Uint8Array();
    one.isEnded = one.hasEnded;
    one.isPaused = false;
    this.#context.buffers.delete(one.kind);
  }

  #resume(one: Lane): void {
    if (!this.isHeldBack) {
      this.#flush(one);
      return;
    }
    this.isHeldBack = false;
    const down = this.#down;
    down.isPaused = false;
    if (down.held.byteLength > 0 || down.hasEnded) this.#show(down);
  }
}
