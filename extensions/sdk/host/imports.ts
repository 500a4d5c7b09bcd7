import { findCall } from "./abi.ts";
import type { Caller, Hostcall } from "./hostcall.ts";
import type { LoadedModule } from "./link.ts";
import { assertLegal, type Phase } from "./phase.ts";
import { LogLevel } from "./status.ts";
import type { Imports } from "./webassembly.ts";

/** What decides how a call of the plugin's is answered. */
export interface Answering {
  readonly isAllowed: (name: string) => boolean;
  readonly phase: () => Phase;
  readonly caller: () => Caller;
  /** Counts the calls, by their names. */
  readonly counts: Map<string, number>;
}

type Import = (...words: (number | bigint)[]) => number | undefined;

/** Imports that no restriction of capabilities takes away, which belong to toolchains. */
const UNRESTRICTED = /^(pthread_equal|emscripten_notify_memory_growth)$/;

/** Links what a module imports: each call with what a host does around it. */
export function importsOf(loaded: LoadedModule, answering: Answering): Imports {
  const imports: Imports = {};
  for (const { module, name } of loaded.imports) {
    const call = findCall(module, name, loaded.abi);
    if (call === undefined) continue;
    imports[module] = { ...imports[module], [name]: answered(name, call, answering) };
  }
  return imports;
}

/** A call, behind phases, restrictions and faults. */
function answered(name: string, call: Hostcall, answering: Answering): Import {
  const { isAllowed, phase, caller, counts } = answering;
  const isRestricted = !isAllowed(name) && !UNRESTRICTED.test(name);
  return (...words) => {
    assertLegal(name, phase());
    const by = caller();
    const { vm } = by;
    vm.ledger.charge("hostcalls", 1);
    if (isRestricted) {
      vm.log(LogLevel.error, `Attempted call to restricted proxy-wasm capability: ${name}`);
      return call.restricted;
    }
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const fault = vm.world.faults.find((one) => one.call === name && (one.nth ?? count) === count);
    return fault?.status ?? call.run(by, words);
  };
}
