// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { releaseMemory } from "./arena";
import { releaseViews } from "./bytes";

// A callback can begin within another one, where a hostcall makes the host call back at once.
// What the outer one was given must outlive the inner one: only the outermost end frees.

let depth: i32 = 0;

/** To be called first in each entry into the VM. */
@inline
export function enter(): void {
  depth++;
}

/** Whether a callback runs: otherwise the module is starting, and nothing is freed yet. */
@inline
export function isRunning(): bool {
  return depth > 0;
}

/** To be called last in each entry; answers whether the outermost callback ends here. */
export function leave(): bool {
  if (--depth > 0) return false;
  releaseMemory();
  releaseViews();
  return true;
}
