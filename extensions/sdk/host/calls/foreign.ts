import { deflateSync, inflateSync } from "node:zlib";
import type { Context } from "../context.ts";
import { hostcall } from "../hostcall.ts";
import { type Message, readMessage } from "../message.ts";
import { Status } from "../status.ts";

/** What a function of Envoy's own answers: bytes, or a status. */
type Native = (argument: Uint8Array, context: Context) => Uint8Array | number;

const NOTHING = new Uint8Array();

/** Filter states whose kinds Envoy knows begin so. */
const KNOWN_STATE = "envoy.";

/** Properties that roots have declared: each may be declared once. */
const declared = new WeakMap<Context, Set<string>>();

/** Functions whose argument is a message, which must be one. */
const ofMessage =
  (act: (message: Message, context: Context) => Uint8Array | number): Native =>
  (argument, context) => {
    const message = readMessage(argument);
    return message === null ? Status.badArgument : act(message, context);
  };

/** Functions that Envoy has. Those of CEL and of signatures are left to options of the host. */
const NATIVE: Readonly<Record<string, Native>> = {
  compress: (argument) => deflateSync(argument),
  uncompress: (argument) => {
    try {
      return inflateSync(argument);
    } catch {
      return Status.serializationFailure;
    }
  },
  clear_route_cache: () => NOTHING,
  set_envoy_filter_state: ofMessage(({ texts }) =>
    texts.get(1)?.startsWith(KNOWN_STATE) === true ? NOTHING : Status.notFound,
  ),
  declare_property: ofMessage(({ texts }, { root }) => {
    const name = texts.get(1) ?? "";
    const names = declared.get(root) ?? new Set();
    if (names.has(name)) return Status.badArgument;
    declared.set(root, names.add(name));
    return NOTHING;
  }),
};

export const foreignCalls = {
  proxy_call_foreign_function: hostcall("tb", "B", ({ vm, context }, name, argument) => {
    const own = vm.world.foreign.get(name);
    if (own !== undefined) {
      const result = own(argument);
      return result === undefined ? Status.notFound : [result];
    }
    const native = vm.profile.hasForeign && Object.hasOwn(NATIVE, name) ? NATIVE[name] : undefined;
    if (native === undefined) return Status.notFound;
    const result = native(argument, context);
    return typeof result === "number" ? result : [result];
  }),
  // Names are resolved by the proxy itself; in a test there are none.
  envoy_resolve_dns: hostcall("b", "N", () => Status.badArgument),
};
