import type { Context } from "./context.ts";
import type { Vm } from "./vm.ts";

/** Calls a root at this pace from now on, instead of any before; at 0, no more. */
export function setTicks(vm: Vm, root: Context, ms: number): void {
  const { clock } = vm.world;
  root.stopTicks();
  root.stopTicks = () => {};
  if (ms === 0) return;
  const tick = () => {
    if (!vm.isAlive(root)) return;
    root.stopTicks = clock.after(ms, tick);
    vm.enter("proxy_on_tick", root);
  };
  root.stopTicks = clock.after(ms, tick);
}
