import { hostcall, text } from "../hostcall.ts";
import { Status } from "../status.ts";

export const sharedCalls = {
  proxy_get_shared_data: hostcall("b", "BN", ({ vm }, key) => {
    return vm.world.shared.get(vm.vmId, text(key)) ?? Status.notFound;
  }),
  proxy_set_shared_data: hostcall("bbn", "", ({ vm }, key, value, cas) => {
    const { casCreates } = vm.profile;
    return vm.world.shared.set({ vmId: vm.vmId, key: text(key), value, cas, casCreates });
  }),
  proxy_register_shared_queue: hostcall("b", "N", ({ vm, context }, name) => {
    const { root } = context;
    const onReady = (queue: number) => vm.later(0, "proxy_on_queue_ready", root, [queue]);
    return [vm.world.shared.register(vm.vmId, text(name), onReady)];
  }),
  proxy_resolve_shared_queue: hostcall("bb", "N", ({ vm }, vmId, name) => {
    const id = vm.world.shared.resolve(text(vmId) || vm.vmId, text(name));
    return id === undefined ? Status.notFound : [id];
  }),
  proxy_enqueue_shared_queue: hostcall("nb", "", ({ vm }, queue, value) =>
    vm.world.shared.enqueue(queue, value),
  ),
  proxy_dequeue_shared_queue: hostcall("n", "B", ({ vm }, queue) => vm.world.shared.dequeue(queue)),
};
