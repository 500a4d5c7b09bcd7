import type { Context } from "../context.ts";
import { hostcall } from "../hostcall.ts";
import { encodeProperty, findProperty, own, type Property, splitPath } from "../properties.ts";
import { Status } from "../status.ts";
import type { Vm } from "../vm.ts";

export const propertyCalls = {
  proxy_get_property: hostcall("t", "B", ({ vm, context }, path) => {
    const segments = splitPath(path);
    // The whole tree of properties has no bytes, nor has that of the states of all filters.
    const isState = segments.length === 1 && segments[0] === "filter_state";
    if (path === "" || (isState && context.stream !== null)) {
      return Status.serializationFailure;
    }
    const [name = "", ...rest] = segments;
    const root = context.stream?.property(name) ?? named(vm, context, name);
    const value = findProperty(root, rest) ?? context.filterState.get(segments.join("\0"));
    return value === undefined ? Status.notFound : [encodeProperty(value)];
  }),
  proxy_set_property: hostcall("tb", "", ({ context }, path, value) => {
    if (context.stream === null) return Status.notFound;
    context.filterState.set(path, value);
    return Status.ok;
  }),
};

/** What a plugin is called, or a property that all streams have. */
function named(vm: Vm, { plugin }: Context, name: string): Property | undefined {
  if (name === "plugin_name") return plugin.name;
  if (name === "plugin_root_id") return plugin.rootId;
  if (name === "plugin_vm_id") return vm.vmId;
  return own(vm.world.properties, name);
}
