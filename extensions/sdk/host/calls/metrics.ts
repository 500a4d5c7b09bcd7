import { hostcall } from "../hostcall.ts";
import { Status } from "../status.ts";

export const metricCalls = {
  proxy_define_metric: hostcall("nt", "N", ({ vm }, kind, name) => {
    const id = vm.metrics.define(kind, name);
    return id === null ? Status.badArgument : [id];
  }),
  proxy_record_metric: hostcall("nI", "", ({ vm }, id, value) => vm.metrics.record(id, value)),
  proxy_increment_metric: hostcall("nI", "", ({ vm }, id, by) => vm.metrics.increment(id, by)),
  proxy_get_metric: hostcall("n", "Q", ({ vm }, id) => vm.metrics.get(id)),
};
