import { type Host, type HostOptions, hostOf, instrumentsOf, type PluginNames } from "./host.ts";
import { loadModule } from "./link.ts";
import type { Stream, StreamOptions } from "./stream.ts";
import { Trap } from "./trap.ts";
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
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** A plugin in its VM, made anew after a trap where the policy says so. */
export interface Worker {
  readonly host: Host;
  readonly root: number;
  /** What becomes of a stream that comes now; a VM that is due is made anew first. */
  admit(): "serve" | "pass" | "fail";
}

interface Loaded {
  readonly host: Host;
  readonly root: number;
}

export interface WorkerOptions {
  readonly world: World;
  readonly failurePolicy?: FailurePolicy | undefined;
  readonly reloadIntervalMs?: number | undefined;
  readonly stats?: { reloads: number; failures: number; backoffs: number };
}

/** Starts a plugin's VM with `load`, which throws Trap, or RefusedError if it is refused. */
export function createWorker(load: () => Loaded, options: WorkerOptions): Worker {
  const { world, failurePolicy = "FAIL_CLOSED" } = options;
  const stats = options.stats ?? { reloads: 0, failures: 0, backoffs: 0 };
  const intervalNs = BigInt(options.reloadIntervalMs ?? RELOAD_INTERVAL_MS) * NS_PER_MS;
  let now = load();
  let loadedNs = world.clock.nowNs;
  const revive = (): boolean => {
    if (world.clock.nowNs - loadedNs < intervalNs) {
      stats.backoffs++;
      return false;
    }
    // The next attempt waits as long, whatever comes of this one.
    loadedNs = world.clock.nowNs;
    try {
      now = load();
      stats.reloads++;
      return true;
    } catch (error) {
      if (!(error instanceof Trap || error instanceof RefusedError)) throw error;
      stats.failures++;
      return false;
    }
  };
  return {
    get host() {
      return now.host;
    },
    get root() {
      return now.root;
    },
    admit: () => {
      if (!now.host.hasFailed) return "serve";
      if (failurePolicy === "FAIL_RELOAD") return revive() ? "serve" : "fail";
      return failurePolicy === "FAIL_OPEN" ? "pass" : "fail";
    },
  };
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
  const load = (): Loaded => {
    const host = make();
    const root = host.start(options.configuration ?? "", options.plugin);
    if (root === null) throw new RefusedError("Failed to configure base Wasm plugin");
    return { host, root };
  };
  make();
  load();
  const main = load();
  const { failurePolicy, reloadIntervalMs } = options;
  const workers = Array.from({ length: options.workers ?? 2 }, () =>
    createWorker(load, { world, failurePolicy, reloadIntervalMs, stats }),
  );

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
      const admitted = worker.admit();
      if (admitted !== "serve") return admitted === "pass" ? "passed" : "failed";
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
