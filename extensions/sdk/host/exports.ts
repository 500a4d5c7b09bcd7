import { backtraceOf } from "./backtrace.ts";
import type { Ledger } from "./costs.ts";
import { Died } from "./died.ts";
import type { LoadedModule } from "./link.ts";
import { Trap } from "./trap.ts";
import type { VmOptions } from "./vm.ts";
import type { Instance } from "./webassembly.ts";
import type { LogLine } from "./world.ts";

/** Calls a callback of the plugin, and may look at what that takes. */
export type Around = (callback: string, call: () => number | undefined) => number | undefined;

/** What a plugin exports, as the host calls it. Where it traps, all of it is dead. */
export interface Exports {
  readonly hasFailed: boolean;
  /** Whether it is there, and not restricted. */
  has(name: string): boolean;
  /** Calls an export if it is there, and charges it what that takes. */
  call(name: string, words: readonly number[]): number | undefined;
  /** Has the plugin allocate, for the callback that runs: 0 if it cannot. */
  allocate(bytes: number): number;
}

export interface Calling extends Pick<VmOptions, "profile" | "sourceMap" | "around" | "fuelMax"> {
  readonly ledger: Ledger;
  readonly isAllowed: (name: string) => boolean;
  /** What has been said so far: the last line before a trap tells why. */
  readonly logs: readonly LogLine[];
  readonly onTrap: () => void;
}

type Export = (...words: number[]) => number | undefined;

/** Exports that no restriction of capabilities takes away. */
const UNRESTRICTED = /^(malloc|proxy_on_memory_allocate|_initialize|_start|main|__main_void)$/;

export function exportsOf(loaded: LoadedModule, instance: Instance, calling: Calling): Exports {
  const { ledger, around } = calling;
  const callable = new Map<string, Export>();
  for (const name of loaded.exports) {
    if (!UNRESTRICTED.test(name) && !calling.isAllowed(name)) continue;
    callable.set(name, instance.exports[name] as Export);
  }
  const allocator = allocatorOf(loaded, calling);
  const allocate = instance.exports[allocator] as Export;
  let hasFailed = false;
  /** What an allocation has trapped with: the callback it served goes on without it to its end. */
  let fatal: unknown = null;

  /** Runs code of the plugin; what it throws ends the VM. */
  const run = (name: string, code: Export, words: readonly number[]): number | undefined => {
    const said = calling.logs.length;
    try {
      const answer = code(...words);
      // Code that ends by itself gets there without having looked at the limit.
      if (ledger.isOutOfFuel) throw new Error("it has used more than it may");
      if (fatal !== null) throw fatal;
      return answer;
    } catch (cause) {
      hasFailed = true;
      calling.onTrap();
      if (cause instanceof Trap || cause instanceof Died) throw cause;
      const last = calling.logs.slice(said).at(-1)?.message ?? "without a word";
      const why = ledger.isOutOfFuel ? `out of fuel after ${calling.fuelMax} instructions` : last;
      const { functions, instrumented } = loaded;
      const { offsets } = instrumented;
      const origins = { offsets, functions, sourceMap: calling.sourceMap };
      throw new Trap(`${name} trapped: ${why}`, backtraceOf(cause, origins), cause);
    }
  };

  return {
    get hasFailed() {
      return hasFailed;
    },
    has: (name) => callable.has(name),
    call: (name, words) => {
      if (hasFailed) throw new Error(`${name} is called in a VM that has trapped`);
      const code = callable.get(name);
      if (code === undefined) return undefined;
      ledger.begin(name);
      try {
        if (around === undefined) return run(name, code, words);
        return around(name, () => run(name, code, words));
      } finally {
        ledger.end();
      }
    },
    allocate: (bytes) => {
      if (fatal !== null) return 0;
      ledger.charge("allocations", 1);
      try {
        return (run(allocator, allocate, [bytes]) ?? 0) >>> 0;
      } catch (trap) {
        fatal = trap;
        return 0;
      }
    },
  };
}

function allocatorOf({ exports }: LoadedModule, { profile }: Calling): string {
  const isOnly = !exports.has("proxy_on_memory_allocate");
  const usesMalloc = exports.has("malloc") && profile.prefersMalloc;
  return usesMalloc || isOnly ? "malloc" : "proxy_on_memory_allocate";
}
