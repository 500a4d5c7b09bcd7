import { hostcall, text } from "../hostcall.ts";
import { Status } from "../status.ts";

export const foreignCalls = {
  proxy_call_foreign_function: hostcall("bb", "B", ({ vm }, name, argument) => {
    const result = vm.world.foreign.get(text(name))?.(argument);
    return result === undefined ? Status.notFound : [result];
  }),
  // Names are resolved by the proxy itself; in a test there are none.
  envoy_resolve_dns: hostcall("b", "N", () => Status.badArgument),
};
