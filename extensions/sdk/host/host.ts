import type { Coverage } from "../wasm/coverage.ts";
import type { Instruments } from "../wasm/instrument.ts";
import { type Connection, createConnection } from "./connection.ts";
import type { Context, Plugin } from "./context.ts";
import type { Cost } from "./costs.ts";
import type { Around } from "./exports.ts";
import { type LoadedModule, loadModule } from "./link.ts";
import { type ProfileName, profiles } from "./profile.ts";
import type { Properties } from "./properties.ts";
import type { Snapshot } from "./snapshot.ts";
import { BufferKind } from "./status.ts";
import { createStream, endContext, type Stream, type StreamOptions } from "./stream.ts";
import type { Upstream } from "./upstreams.ts";
import { createVm, type Vm } from "./vm.ts";
import {
  createWorld,
  type Fault,
  type LogLine,
  upstreamOf,
  type World,
  type WorldOptions,
} from "./world.ts";

/** A VM that runs one module. */
export interface Host {
  readonly logs: readonly LogLine[];
  readonly counters: ReadonlyMap<string, bigint>;
  readonly gauges: ReadonlyMap<string, bigint>;
  readonly histograms: ReadonlyMap<string, readonly bigint[]>;
  /** How often the plugin has made each hostcall. */
  readonly callCounts: ReadonlyMap<string, number>;
  /** Contexts that have not ended, roots included, and callouts that have no answer yet. */
  readonly openContexts: number;
  readonly openCalls: number;
  /** What each callback has cost, by its name (`_initialize` too): sums since the last reset. */
  readonly costs: ReadonlyMap<string, Cost>;
  /** How often each block of the code has run; null unless that is counted (`coverage`). */
  readonly coverage: Coverage | null;
  /** Pages of 64 KiB the plugin holds. */
  readonly pages: number;
  /** Whether the plugin has trapped: a VM that did answers nothing any more. */
  readonly hasFailed: boolean;
  /** Starts a plugin with its configuration and answers its root id, or null if it refuses. */
  start(configuration: Uint8Array | string, names?: PluginNames): number | null;
  openStream(root: number, options?: StreamOptions): Stream;
  openConnection(root: number, properties?: Properties): Connection;
  /** Ends a root: the guest may put that off until it calls `proxy_done`. */
  stop(root: number): void;
  /** Ends the VM, whatever its roots have put off: it ticks no more, and hears of nothing. */
  close(): void;
  /** The script of a cluster that callouts go to. One that is never spoken of is not there. */
  upstream(cluster: string): Upstream;
  /** Lets virtual time pass: answers of callouts, ticks and queues arrive then. */
  advance(ms: number): void;
  /** As advance, until the next thing falls due: how long that was, or null if it is beyond. */
  advanceToNext(msMax: number): number | null;
  /** Forces what a hostcall answers. */
  inject(fault: Fault): void;
  resetCosts(): void;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

export interface PluginNames {
  readonly name?: string;
  readonly rootId?: string;
  /** Whether pausing on headers lets the body through to the plugin: Envoy's default is not to. */
  readonly allowsHeadersStop?: boolean;
}

export interface HostOptions extends WorldOptions {
  /** Whom to behave like where hosts differ: the Envoy that Weft runs on, unless told. */
  readonly profile?: ProfileName;
  readonly vmId?: string;
  readonly vmConfiguration?: Uint8Array | string;
  /** Names of hostcalls and callbacks that the plugin may use: all, unless told. */
  readonly capabilities?: readonly string[];
  /** Count the instructions that each callback executes. */
  readonly meter?: boolean;
  /** Instructions that a callback may execute before it traps; they are counted then. */
  readonly fuelMax?: number;
  /** Count how often each block of the code runs. */
  readonly coverage?: boolean;
  /** The module's source map, so that backtraces name files and lines. */
  readonly sourceMap?: string;
  /** Is handed every call of a callback, to measure it. */
  readonly around?: Around;
  /** Shares data, queues, metrics, clock and upstreams with other hosts. */
  readonly world?: World;
}

/** Loads a module, linked to the ABI version it declares, and runs its `_initialize`. */
export function createHost(wasm: Uint8Array, options: HostOptions = {}): Host {
  return hostOf(loadModule(wasm, instrumentsOf(options)), options);
}

/** What a module must be loaded with for such a host. */
export function instrumentsOf({ meter, fuelMax, coverage }: HostOptions): Instruments {
  return { meter: meter === true || fuelMax !== undefined, cover: coverage === true };
}

/** As createHost, of a module that is loaded already with what the options count. */
export function hostOf(loaded: LoadedModule, options: HostOptions = {}): Host {
  const world = options.world ?? createWorld(options);
  const vm = createVm(loaded, {
    world,
    profile: profiles[options.profile ?? "envoy-1.40"],
    vmId: options.vmId ?? "",
    configuration: bytesOf(options.vmConfiguration ?? ""),
    capabilities: options.capabilities ?? [],
    ...(options.sourceMap === undefined ? {} : { sourceMap: options.sourceMap }),
    ...(options.around === undefined ? {} : { around: options.around }),
    ...(options.fuelMax === undefined ? {} : { fuelMax: options.fuelMax }),
  });
  let hasStarted = false;
  const rootOf = (id: number): Context => {
    const root = vm.contexts.get(id);
    if (root === undefined || root.root !== root) throw new Error(`there is no root ${id}`);
    return root;
  };
  return {
    logs: world.logs,
    ...world.metrics,
    callCounts: vm.callCounts,
    get openContexts() {
      // One stands for the VM itself.
      return vm.contexts.size - 1;
    },
    get openCalls() {
      return vm.calls.size;
    },
    get costs() {
      return vm.ledger.costs;
    },
    get coverage() {
      return vm.coverage;
    },
    get pages() {
      return vm.memory.pages;
    },
    get hasFailed() {
      return vm.hasFailed;
    },
    start: (bytes, { name = "", rootId = "", allowsHeadersStop = false } = {}) => {
      const plugin = { name, rootId, allowsHeadersStop, configuration: bytesOf(bytes) };
      const root = vm.create(plugin);
      const isStarting = vm.profile.startsEveryRoot || !hasStarted;
      hasStarted = true;
      if (isStarting && !startVm(vm, root)) return null;
      return configure(vm, root, plugin) ? root.id : null;
    },
    openStream: (root, streamOptions = {}) => createStream(vm, rootOf(root), streamOptions),
    openConnection: (root, properties = {}) => createConnection(vm, rootOf(root), properties),
    stop: (id) => {
      const root = rootOf(id);
      endContext({ vm, profile: { ...vm.profile, logsBeforeDone: false } }, root, () => {});
    },
    close: () => {
      for (const context of [...vm.contexts.values()]) {
        context.stopTicks();
        vm.remove(context);
      }
    },
    upstream: (cluster) => upstreamOf(world, cluster),
    advance: (ms) => world.clock.advance(ms),
    advanceToNext: (msMax) => {
      const { idleMs } = world.clock;
      if (idleMs === null || idleMs > msMax) return null;
      world.clock.advance(idleMs);
      return idleMs;
    },
    inject: (fault) => {
      world.faults.push(fault);
    },
    resetCosts: () => vm.ledger.reset(),
    snapshot: () => vm.snapshot(),
    restore: (snapshot) => vm.restore(snapshot),
  };
}

function bytesOf(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}

function startVm(vm: Vm, root: Context): boolean {
  root.buffers.set(BufferKind.vmConfiguration, { read: () => vm.configuration });
  const isStarted = vm.enter("proxy_on_vm_start", root, [vm.configuration.byteLength]) !== 0;
  root.buffers.delete(BufferKind.vmConfiguration);
  return isStarted;
}

/** Configures a root; its configuration can be read meanwhile only. */
function configure(vm: Vm, root: Context, { configuration }: Plugin): boolean {
  root.buffers.set(BufferKind.pluginConfiguration, { read: () => configuration });
  const size = configuration.byteLength;
  const isAccepted = vm.enter("proxy_on_configure", root, [size]) !== 0;
  root.buffers.delete(BufferKind.pluginConfiguration);
  return isAccepted;
}
