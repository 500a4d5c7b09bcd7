import { type Coverage, readCounters } from "../wasm/coverage.ts";
import { createLedger, type Ledger } from "./costs.ts";
import { type Exports, exportsOf } from "./exports.ts";
import { type GuestMemory, guestMemory } from "./guest-memory.ts";
import type { Caller } from "./hostcall.ts";
import { importsOf } from "./imports.ts";
import { LoadError, type LoadedModule } from "./link.ts";
import type { Phase } from "./phase.ts";
import { restoreSnapshot, type Snapshot, takeSnapshot } from "./snapshot.ts";
import type { VmOptions } from "./vm.ts";
import {
  type Imports,
  Instance,
  type Memory,
  type Module,
  type MutableGlobal,
  memoryOf,
} from "./webassembly.ts";

/** An instance of a module, linked both ways: the VM without its contexts. */
export interface Machine extends Pick<Exports, "has" | "call" | "allocate"> {
  readonly memory: GuestMemory;
  readonly ledger: Ledger;
  readonly callCounts: ReadonlyMap<string, number>;
  readonly hasFailed: boolean;
  readonly coverage: Coverage | null;
  /** Runs what the module has to start with; from then on it may call all there is. */
  start(): void;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

export interface Surroundings {
  /** On whose behalf the plugin calls. */
  readonly caller: () => Caller;
  readonly onTrap: () => void;
}

/** Instantiates a module. Throws LoadError if its start section traps, or makes a hostcall. */
export function createMachine(
  loaded: LoadedModule,
  options: VmOptions,
  { caller, onTrap }: Surroundings,
): Machine {
  const { capabilities, fuelMax, world } = options;
  const callCounts = new Map<string, number>();
  let phase: Phase = "starting";
  const isAllowed = (name: string) => capabilities.length === 0 || capabilities.includes(name);
  const answering = { isAllowed, phase: () => phase, caller, counts: callCounts };
  const instance = instantiate(loaded.module, importsOf(loaded, answering));
  phase = "initializing";
  const memory = guestMemory(memoryOf(instance), (bytes) => ledger.charge("bytesCopied", bytes));
  const ledger = createLedger({
    pages: () => memory.pages,
    fuel: fuelOf(loaded, instance),
    fuelMax,
  });
  const { logs } = world;
  const exports = exportsOf(loaded, instance, { ...options, ledger, isAllowed, logs, onTrap });
  const { has, call } = exports;
  return {
    memory,
    ledger,
    callCounts,
    get hasFailed() {
      return exports.hasFailed;
    },
    get coverage() {
      return coverageOf(loaded, instance);
    },
    start: () => {
      initialize(exports);
      phase = "running";
    },
    has,
    call,
    allocate: (bytes) => {
      const before = phase;
      phase = "allocating";
      try {
        return exports.allocate(bytes);
      } finally {
        phase = before;
      }
    },
    snapshot: () => takeSnapshot(instance, loaded.instrumented.globals),
    restore: (snapshot) => restoreSnapshot(instance, snapshot),
  };
}

function instantiate(module: Module, imports: Imports): Instance {
  try {
    return new Instance(module, imports);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw new LoadError(`Failed to create new Wasm instance${why}`, { cause });
  }
}

/** Follows the convention of the module's toolchain. */
function initialize({ has, call }: Exports): void {
  if (!has("_initialize")) {
    call("_start", []);
    return;
  }
  call("_initialize", []);
  if (has("main")) call("main", [0, 0]);
  else call("__main_void", []);
}

function fuelOf({ instrumented: { fuel } }: LoadedModule, { exports }: Instance) {
  return fuel === null ? undefined : (exports[fuel] as MutableGlobal<bigint>);
}

function coverageOf({ instrumented: { coverage } }: LoadedModule, { exports }: Instance) {
  if (coverage === null) return null;
  const { buffer } = exports[coverage.memory] as Memory;
  return readCounters(coverage.functions, new BigUint64Array(buffer));
}
