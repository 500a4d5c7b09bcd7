import { type Host, type HostOptions, hostOf, instrumentsOf, type PluginNames } from "./host.ts";
import { loadModule } from "./link.ts";
import type { Stream, StreamOptions } from "./stream.ts";
import { Trap } from "./vm.ts";
import { createWorld, type World } from "./world.ts";

/** What becomes of streams whose plugin has trapped. */
export type FailurePolicy = "FAIL_CLOSED" | "FAIL_OPEN" | "FAIL_RELOAD";

export interface ProxyOptions extends Omit<HostOptions, "world"> {
  readonly workers?: number;
  readonly configuration?: Uint8Array | string;
  readonly plugin?: PluginNames;
  readonly failurePolicy?: FailurePolicy;
  /** How long a VM lives at least before it is made anew. */
  readonly reloadIntervalMs?: number;
}

/** A proxy that runs one plugin in VMs of its own, one for its main thread and one per worker. */
export interface Proxy {
  readonly world: World;
  readonly main: Host;
  readonly workers: readonly Host[];
  /** VMs made so far, those that were thrown away included. */
  readonly created: number;
  readonly stats: ReloadStats;
  /**
   * Opens a stream on a worker, lets `use` send messages through, and tells what came of it: it
   * was served, the plugin was passed by, or the client got 503.
   */
  serve(worker: number, use: (stream: Stream) => void, options?: StreamOptions): Outcome;
}

export type Outcome = "served" | "passed" | "failed";

export interface ReloadStats {
  readonly reloads: number;
  /** Reloads that came to nothing: the plugin trapped or refused its configuration. */
  readonly failures: number;
  /** Streams that came before the VM was old enough to be made anew. */
  readonly backoffs: number;
}

const RELOAD_INTERVAL_MS = 1_000;
const NS_PER_MS = 1_000_000n;

/** A plugin has answered that it cannot run with its configuration. */
class RefusedError extends Error {
  override readonly name = "RefusedError";
}

interface Worker {
  host: Host;
  root: number;
  loadedNs: bigint;
}

/**
 * Starts a plugin as Envoy does: a base VM, a canary that is configured and thrown away, then the
 * VMs that stay. Throws LoadError or Trap, or says so if the plugin refuses its configuration.
 */
export function createProxy(wasm: Uint8Array, options: ProxyOptions = {}): Proxy {
  const loaded = loadModule(wasm, instrumentsOf(options));
  const world = createWorld(options);
  const stats = { reloads: 0, failures: 0, backoffs: 0 };
  let created = 0;
  const make = (): Host => {
    created++;
    return hostOf(loaded, { ...options, world });
  };
  const load = (): Worker => {
    const host = make();
    const root = host.start(options.configuration ?? "", options.plugin);
    if (root === null) throw new RefusedError("Failed to configure base Wasm plugin");
    return { host, root, loadedNs: world.clock.nowNs };
  };
  make();
  load();
  const main = load();
  const workers = Array.from({ length: options.workers ?? 2 }, load);
  const intervalNs = BigInt(options.reloadIntervalMs ?? RELOAD_INTERVAL_MS) * NS_PER_MS;

  /** Whether the worker's VM lives, made anew if the policy says so and the time has come. */
  const revive = (worker: Worker): boolean => {
    if (!worker.host.hasFailed) return true;
    if (options.failurePolicy !== "FAIL_RELOAD") return false;
    if (world.clock.nowNs - worker.loadedNs < intervalNs) {
      stats.backoffs++;
      return false;
    }
    // The next attempt waits as long, whatever comes of this one.
    worker.loadedNs = world.clock.nowNs;
    try {
      Object.assign(worker, load());
      stats.reloads++;
      return true;
    } catch (error) {
      if (!(error instanceof Trap || error instanceof RefusedError)) throw error;
      stats.failures++;
      return false;
    }
  };

  return {
    world,
    main: main.host,
    get workers() {
      return workers.map(({ host }) => host);
    },
    get created() {
      return created;
    },
    stats,
    serve: (index, use, streamOptions) => {
      const worker = workers[index];
      if (worker === undefined) throw new Error(`there is no worker ${index}`);
      if (!revive(worker)) return options.failurePolicy === "FAIL_OPEN" ? "passed" : "failed";
      try {
        use(worker.host.openStream(worker.root, streamOptions));
        return "served";
      } catch (error) {
        // The stream that traps fails, whatever the policy; later ones follow it.
        if (error instanceof Trap) return "failed";
        throw error;
      }
    },
  };
}
