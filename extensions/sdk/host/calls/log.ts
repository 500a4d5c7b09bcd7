import { hostcall } from "../hostcall.ts";
import { LogLevel, Status } from "../status.ts";
import { setTicks } from "../ticks.ts";

export const logCalls = {
  proxy_log: hostcall("nt", "", ({ vm }, level, message) => {
    if (level > LogLevel.critical) return Status.badArgument;
    vm.log(level, message);
    return Status.ok;
  }),
  proxy_get_log_level: hostcall("", "N", ({ vm }) => [vm.world.logLevel]),
  proxy_get_current_time_nanoseconds: hostcall("", "Q", ({ vm }) => [vm.world.clock.nowNs]),
  proxy_set_tick_period_milliseconds: hostcall("n", "", ({ vm, context }, ms) => {
    setTicks(vm, context.root, ms);
    return Status.ok;
  }),
};
