import { hostcall } from "../hostcall.ts";
import { Status } from "../status.ts";

export const sharedCalls = {
  proxy_get_shared_data: hostcall("t", "BN", ({ vm }, key) => {
    return vm.world.shared.get(vm.vmId, key) ?? Status.notFound;
  }),
  proxy_set_shared_data: hostcall("tbn", "", ({ vm }, key, value, cas) => {
    const { casCreates } = vm.profile;
    return vm.world.shared.set({ vmId: vm.vmId, key, value, cas, casCreates });
  }),
  proxy_register_shared_queue: hostcall("t", "N", ({ vm, context }, name) => {
    const { root } = context;
    const onReady = (queue: number) => vm.later(0, "proxy_on_queue_ready", root, [queue]);
    return [vm.world.shared.register(vm.vmId, name, onReady)];
  }),
  proxy_resolve_shared_queue: hostcall("tt", "N", ({ vm }, vmId, name) => {
    const id = vm.world.shared.resolve(vmId || vm.vmId, name);
    return id === undefined ? Status.notFound : [id];
  }),
  proxy_enqueue_shared_queue: hostcall("nb", "", ({ vm }, queue, value) =>
    vm.world.shared.enqueue(queue, value),
  ),
  proxy_dequeue_shared_queue: hostcall("n", "B", ({ vm }, queue) => vm.world.shared.dequeue(queue)),
};
