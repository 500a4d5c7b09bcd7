import type { Coverage } from "../wasm/coverage.ts";
import type { AbiVersion } from "./abi.ts";
import { type CallTable, createCallTable } from "./call-table.ts";
import { type Context, createContext, type Plugin } from "./context.ts";
import type { Ledger } from "./costs.ts";
import type { Around } from "./exports.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { LoadedModule } from "./link.ts";
import { createMachine } from "./machine.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Profile } from "./profile.ts";
import type { Snapshot } from "./snapshot.ts";
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
  readonly around?: Around;
  /** Instructions that a callback may execute, of a module that counts them. */
  readonly fuelMax?: number;
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
  setEffective(context: Context): void;
  log(level: number, message: string): void;
  /** How often each block has run, of a module that counts that. */
  readonly coverage: Coverage | null;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

/**
 * Instantiates a module and runs its `_initialize`. Throws Trap if that traps, and LoadError if the
 * module's start section does, or makes a hostcall.
 */
export function createVm(loaded: LoadedModule, options: VmOptions): Vm {
  const { world, profile } = options;
  const contexts = new Map<number, Context>();
  const deferred: (() => void)[] = [];
  let lastContext = 0;
  let depth = 0;
  /** On whose behalf the plugin calls. */
  let effective = createContext(0, { name: "", rootId: "", configuration: new Uint8Array() });
  contexts.set(effective.id, effective);

  const machine = createMachine(loaded, options, {
    caller: () => ({ vm, context: effective }),
    // What a plugin asked for before it trapped is not done.
    onTrap: () => {
      deferred.length = 0;
    },
  });
  const vm: Vm = {
    world,
    profile,
    abi: loaded.abi,
    vmId: options.vmId,
    configuration: options.configuration,
    memory: machine.memory,
    metrics: createMetrics(world.metrics, profile),
    calls: createCallTable(),
    contexts,
    callCounts: machine.callCounts,
    ledger: machine.ledger,
    get hasFailed() {
      return machine.hasFailed;
    },
    create: (parent) => {
      const context = createContext(++lastContext, parent);
      contexts.set(context.id, context);
      const { root } = context;
      vm.enter("proxy_on_context_create", context, [root === context ? 0 : root.id]);
      return context;
    },
    remove: (context) => {
      contexts.delete(context.id);
    },
    isAlive: (context) => !machine.hasFailed && contexts.has(context.id),
    enter: (name, context, words = []) => {
      const before = effective;
      effective = context;
      depth++;
      try {
        return machine.call(name, [context.id, ...words]);
      } finally {
        effective = before;
        depth--;
        while (depth === 0 && deferred.length > 0) deferred.shift()?.();
      }
    },
    exports: machine.has,
    allocate: machine.allocate,
    defer: (act) => {
      deferred.push(act);
    },
    later: (ms, name, context, words) => {
      world.clock.after(ms, () => {
        if (vm.isAlive(context)) vm.enter(name, context, words);
      });
    },
    setEffective: (context) => {
      effective = context;
    },
    log: (level, message) => {
      if (level >= world.logLevel) world.logs.push({ level, message });
    },
    get coverage() {
      return machine.coverage;
    },
    snapshot: machine.snapshot,
    restore: machine.restore,
  };
  machine.start();
  return vm;
}
