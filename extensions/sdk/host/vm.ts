import { type Coverage, readCounters } from "../wasm/coverage.ts";
import { type AbiVersion, findCall } from "./abi.ts";
import { type Backtrace, backtraceOf } from "./backtrace.ts";
import { type CallTable, createCallTable } from "./call-table.ts";
import { type Context, createContext, type Plugin } from "./context.ts";
import { Died } from "./died.ts";
import { type GuestMemory, guestMemory } from "./guest-memory.ts";
import type { Hostcall } from "./hostcall.ts";
import { LoadError, type LoadedModule } from "./link.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Profile } from "./profile.ts";
import { LogLevel } from "./status.ts";
import { type Imports, Instance, type Memory, type MutableGlobal } from "./webassembly.ts";
import type { World } from "./world.ts";

export interface VmOptions {
  readonly world: World;
  readonly profile: Profile;
  readonly vmId: string;
  readonly configuration: Uint8Array;
  /** Names of imports and exports that it may use; all of them if there are none. */
  readonly capabilities: readonly string[];
  /** The module's source map, so that backtraces name files. */
  readonly sourceMap?: string;
  /** Instructions that a callback may execute, of a module that counts them. */
  readonly fuelMax?: number;
}

/** Calls a callback of the plugin, and may look at what that takes. */
export type Around = (callback: string, call: () => number | undefined) => number | undefined;

/** A plugin has trapped, and its VM is dead. */
export class Trap extends Error {
  override readonly name = "Trap";
  readonly backtrace: Backtrace;
  constructor(message: string, backtrace: Backtrace, cause: unknown) {
    super(message, { cause });
    this.backtrace = backtrace;
  }
}

/** One instance of a module: its memory, its contexts, and what it is doing. */
export interface Vm {
  readonly world: World;
  readonly profile: Profile;
  readonly abi: AbiVersion;
  readonly vmId: string;
  readonly configuration: Uint8Array;
  readonly memory: GuestMemory;
  readonly metrics: Metrics;
  readonly calls: CallTable;
  readonly contexts: ReadonlyMap<number, Context>;
  readonly hasFailed: boolean;
  /** How often each hostcall was made. */
  readonly callCounts: ReadonlyMap<string, number>;
  readonly ledger: Ledger;
  /** Makes a root of a plugin, or a stream's context of a root, and tells the guest. */
  create(parent: Context | Plugin): Context;
  remove(context: Context): void;
  /** Whether a context can still be told anything: it has not ended, nor has the VM failed. */
  isAlive(context: Context): boolean;
  /** Calls an export on behalf of a context, whose id comes first; undefined if it is not there. */
  enter(name: string, context: Context, words?: readonly number[]): number | undefined;
  exports(name: string): boolean;
  allocate(bytes: number): number;
  /** Does this when the guest has returned. */
  defer(act: () => void): void;
  /** Enters after so much virtual time, unless the context is dead by then. */
  later(ms: number, name: string, context: Context, words: readonly number[]): void;
  setTicks(root: Context, ms: number): void;
  setEffective(context: Context): void;
  log(level: number, message: string): void;
  /** How often each block has run, of a module that counts that. */
  readonly coverage: Coverage | null;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

/**
 * A VM's memory and its mutable globals. What a plugin puts into tables as it runs is not there,
 * nor are vectors in globals; no toolchain of plugins does either.
 */
export interface Snapshot {
  readonly memory: Uint8Array;
  readonly globals: ReadonlyMap<string, unknown>;
}

type Phase = "starting" | "initializing" | "allocating" | "running";
type Export = (...words: number[]) => number | undefined;

/** What a plugin may call while it starts or allocates; anything else there ends the VM. */
const LEGAL: Readonly<Record<Exclude<Phase, "running">, RegExp>> = {
  initializing:
    /^(proxy_log|emscripten_|fd_(write|fdstat|prestat)|args_|environ_|clock_|random_|poll_)/,
  allocating: /^(proxy_log|fd_write|clock_time_get|poll_oneoff)$/,
};

/** Exports that no restriction of capabilities takes away. */
const UNRESTRICTED = /^(malloc|proxy_on_memory_allocate|_initialize|_start|main|__main_void)$/;

/** Nor these imports, which belong to toolchains. */
const UNRESTRICTED_CALLS = /^(pthread_equal|emscripten_notify_memory_growth)$/;

/** Instantiates a module and runs its `_initialize`. Throws Trap if that traps. */
export function createVm(loaded: LoadedModule, options: VmOptions): Vm {
  const { world, profile, capabilities, sourceMap, fuelMax } = options;
  const { instrumented } = loaded;
  const contexts = new Map<number, Context>();
  const callCounts = new Map<string, number>();
  const deferred: (() => void)[] = [];
  let phase: Phase = "initializing";
  let hasFailed = false;
  /** What an allocation has trapped with: the callback it served goes on without it to its end. */
  let fatal: unknown = null;
  let lastContext = 0;
  let depth = 0;
  let current = createContext(0, { name: "", rootId: "", configuration: new Uint8Array() });
  let effective = current;
  contexts.set(current.id, current);

  const isAllowed = (name: string) => capabilities.length === 0 || capabilities.includes(name);
  const isThere = (name: string) =>
    loaded.exports.has(name) && (UNRESTRICTED.test(name) || isAllowed(name));

  const run = (name: string, words: readonly number[]): number | undefined => {
    assertAlive(name);
    if (!isThere(name)) return undefined;
    ledger.begin(name);
    try {
      return call(name, words);
    } finally {
      ledger.end();
    }
  };

  const assertAlive = (name: string) => {
    if (hasFailed) throw new Error(`${name} is called in a VM that has trapped`);
  };

  /** Calls an export that is there; what it throws ends the VM. */
  const call = (name: string, words: readonly number[]): number | undefined => {
    const said = world.logs.length;
    try {
      const answer = (instance.exports[name] as Export)(...words);
      if (fatal !== null) throw fatal;
      return answer;
    } catch (cause) {
      hasFailed = true;
      // What a plugin asked for before it trapped is not done.
      deferred.length = 0;
      if (cause instanceof Trap || cause instanceof Died) throw cause;
      const last = world.logs.slice(said).at(-1)?.message ?? "without a word";
      const why = ledger.isOutOfFuel ? `out of fuel after ${fuelMax} instructions` : last;
      const { offsets } = instrumented;
      const backtrace = backtraceOf(cause, { offsets, functions: loaded.functions, sourceMap });
      throw new Trap(`${name} trapped: ${why}`, backtrace, cause);
    }
  };

  const vm: Vm = {
    world,
    profile,
    abi: loaded.abi,
    vmId: options.vmId,
    configuration: options.configuration,
    get memory() {
      return memory;
    },
    metrics: createMetrics(world.metrics, profile),
    calls: createCallTable(),
    contexts,
    callCounts,
    get ledger() {
      return ledger;
    },
    get hasFailed() {
      return hasFailed;
    },
    create: (parent) => {
      const context = createContext(++lastContext, parent);
      contexts.set(context.id, context);
      vm.enter("proxy_on_context_create", context, [
        context.root === context ? 0 : context.root.id,
      ]);
      return context;
    },
    remove: (context) => {
      contexts.delete(context.id);
    },
    isAlive: (context) => !hasFailed && contexts.has(context.id),
    enter: (name, context, words = []) => {
      const before = [current, effective] as const;
      [current, effective] = [context, context];
      depth++;
      try {
        const call = () => run(name, [context.id, ...words]);
        return around === undefined || !isThere(name) ? call() : around(name, call);
      } finally {
        [current, effective] = before;
        depth--;
        while (depth === 0 && deferred.length > 0) deferred.shift()?.();
      }
    },
    exports: isThere,
    allocate: (bytes) => {
      if (fatal !== null) return 0;
      const before = phase;
      phase = "allocating";
      const usesMalloc = loaded.exports.has("malloc") && profile.prefersMalloc;
      const isOnly = !loaded.exports.has("proxy_on_memory_allocate");
      try {
        const address = run(usesMalloc || isOnly ? "malloc" : "proxy_on_memory_allocate", [bytes]);
        return (address ?? 0) >>> 0;
      } catch (trap) {
        fatal = trap;
        return 0;
      } finally {
        phase = before;
      }
    },
    defer: (act) => {
      deferred.push(act);
    },
    later: (ms, name, context, words) => {
      world.clock.after(ms, () => {
        if (vm.isAlive(context)) vm.enter(name, context, words);
      });
    },
    setTicks: (root, ms) => {
      root.stopTicks();
      root.stopTicks = () => {};
      if (ms === 0) return;
      const tick = () => {
        if (!vm.isAlive(root)) return;
        root.stopTicks = world.clock.after(ms, tick);
        vm.enter("proxy_on_tick", root);
      };
      root.stopTicks = world.clock.after(ms, tick);
    },
    setEffective: (context) => {
      effective = context;
    },
    log: (level, message) => {
      if (level >= world.logLevel) world.logs.push({ level, message });
    },
    get coverage() {
      const { coverage } = instrumented;
      if (coverage === null) return null;
      const counters = new BigUint64Array(exported<Memory>(coverage.memory).buffer);
      return readCounters(coverage.functions, counters);
    },
    snapshot: () => ({
      memory: new Uint8Array(exportedMemory.buffer).slice(),
      globals: new Map(
        instrumented.globals.map((name) => [name, exported<MutableGlobal>(name).value]),
      ),
    }),
    restore: (snapshot) => {
      const bytes = new Uint8Array(exportedMemory.buffer);
      bytes.set(snapshot.memory);
      // Memory never shrinks: what has grown since is cleared instead.
      bytes.fill(0, snapshot.memory.byteLength);
      for (const [name, value] of snapshot.globals) exported<MutableGlobal>(name).value = value;
    },
  };

  const exported = <T>(name: string): T => instance.exports[name] as T;

  /** Wraps a call with what a host does around each: permission, restriction and faults. */
  const guard = (name: string, call: Hostcall) => {
    const fault = () => {
      const count = (callCounts.get(name) ?? 0) + 1;
      callCounts.set(name, count);
      return world.faults.find((each) => each.call === name && (each.nth ?? count) === count);
    };
    return (...words: (number | bigint)[]) => {
      ledger.charge("hostcalls", 1);
      if (phase !== "running" && !LEGAL[phase].test(name)) {
        throw new Error(`${name} is not allowed while the plugin is ${phase}`);
      }
      if (!isAllowed(name) && !UNRESTRICTED_CALLS.test(name)) {
        vm.log(LogLevel.error, `Attempted call to restricted proxy-wasm capability: ${name}`);
        return call.restricted;
      }
      return fault()?.status ?? call.run({ vm, context: effective }, words);
    };
  };

  const imports: Imports = {};
  for (const { module, name } of loaded.imports) {
    const call = findCall(module, name, loaded.abi);
    if (call !== undefined) imports[module] = { ...imports[module], [name]: guard(name, call) };
  }
  const instance = new Instance(loaded.module, imports);
  const exportedMemory = exported<Memory>("memory");
  const memory = guestMemory(exportedMemory, (bytes) => ledger.charge("bytesCopied", bytes));
  const ledger = createLedger({
    pages: () => memory.pages,
    fuel: instrumented.fuel === null ? undefined : exported(instrumented.fuel),
    fuelMax,
  });
  if (isThere("_initialize")) {
    run("_initialize", []);
    if (isThere("main")) run("main", [0, 0]);
    else run("__main_void", []);
  } else run("_start", []);
  phase = "running";
  return vm;
}

function instantiate(module: Module, imports: Imports): Instance {
  try {
    return new Instance(module, imports);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw new LoadError(`Failed to create new Wasm instance${why}`, { cause });
  }
}
