import type { Context } from "../context.ts";
import { hostcall } from "../hostcall.ts";
import {
  encodeProperty,
  findProperty,
  type Properties,
  type Property,
  splitPath,
} from "../properties.ts";
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
    const { stream } = context;
    const found = stream?.hasProperties(segments[0] ?? "")
      ? stream.property(segments)
      : named(vm, context, segments);
    const value = found ?? context.filterState.get(segments.join("\0"));
    return value === undefined ? Status.notFound : [encodeProperty(value)];
  }),
  proxy_set_property: hostcall("tb", "", ({ context }, path, value) => {
    if (context.stream === null) return Status.notFound;
    context.filterState.set(path, value);
    return Status.ok;
  }),
};

/** What a plugin is called, or a property that all streams have. */
function named(
  { vmId, world }: Vm,
  { plugin }: Context,
  path: readonly string[],
): Property | undefined {
  const names: Properties = {
    plugin_name: plugin.name,
    plugin_root_id: plugin.rootId,
    plugin_vm_id: vmId,
  };
  return findProperty(Object.hasOwn(names, path[0] ?? "") ? names : world.properties, path);
}
