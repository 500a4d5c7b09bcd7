import { hostcall, text } from "../hostcall.ts";
import { encodeProperty, findProperty, type Properties, splitPath } from "../properties.ts";
import { Status } from "../status.ts";

export const propertyCalls = {
  proxy_get_property: hostcall("b", "B", ({ vm, context }, path) => {
    const segments = splitPath(text(path));
    // The whole tree of properties has no bytes, nor has that of the states of all filters.
    const isState = segments.length === 1 && segments[0] === "filter_state";
    if (path.byteLength === 0 || (isState && context.stream !== null)) {
      return Status.serializationFailure;
    }
    const { name, rootId } = context.plugin;
    const own: Properties = { plugin_name: name, plugin_root_id: rootId, plugin_vm_id: vm.vmId };
    const all = { ...vm.world.properties, ...own, ...context.properties() };
    const value = findProperty(all, segments) ?? context.filterState.get(segments.join("\0"));
    return value === undefined ? Status.notFound : [encodeProperty(value)];
  }),
  proxy_set_property: hostcall("bb", "", ({ context }, path, value) => {
    if (context.stream === null) return Status.notFound;
    context.filterState.set(text(path), value);
    return Status.ok;
  }),
};
