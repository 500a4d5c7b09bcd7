import { type Case, onConfigure, onRequest, type Table } from "../case.ts";
import { type Argument, bytes, call, hex, length, type Step } from "../probe.ts";

const invoke = (name: string, argument: string | Uint8Array, out: Argument = hex): Step =>
  call("proxy_call_foreign_function", name, argument, out);

const on = (id: string, title: string, ...steps: Step[]): Case => {
  return { id: `foreign.${id}`, title, probe: onRequest(...steps) };
};

/** A message of protobuf: fields of text or bytes. */
const message = (...fields: readonly (readonly [number: number, value: string | Uint8Array])[]) =>
  Buffer.concat(
    fields.map(([number, value]) => {
      const bytesOf = Buffer.from(value as Uint8Array);
      return Buffer.concat([Buffer.of(number * 8 + 2, bytesOf.length), bytesOf]);
    }),
  );

/** "hello" as zlib has it. */
const PACKED = Buffer.from("789ccb48cdc9c90700062c0215", "hex");

/** Functions that Envoy has beside the ABI. */
export const foreign: Table = [
  on("uncompress", "bytes are unpacked", invoke("uncompress", PACKED, bytes())),
  on("uncompress-bad", "bytes that are not packed", invoke("uncompress", "hello")),
  on("uncompress-empty", "nothing is unpacked", invoke("uncompress", "")),
  on("compress", "bytes are packed", invoke("compress", "hello", length)),
  on("compress-empty", "nothing is packed", invoke("compress", "", length)),
  on("clear-route-cache", "the route is chosen anew", invoke("clear_route_cache", "")),
  on(
    "filter-state",
    "a filter state of another kind than a plugin's own",
    invoke(
      "set_envoy_filter_state",
      message([1, "envoy.network.application_protocols"], [2, "h2"]),
    ),
    invoke("set_envoy_filter_state", message([1, "nobody.knows"], [2, "x"])),
    invoke("set_envoy_filter_state", "\xff\xff"),
  ),
  on(
    "declare-property",
    "a property is declared, set and read",
    invoke("declare_property", message([1, "declared"])),
    call("proxy_set_property", "declared", "value"),
    call("proxy_get_property", "declared", bytes()),
    invoke("declare_property", message([1, "declared"])),
  ),
  on(
    "declare-read-only",
    "a property that may be set once",
    // DeclarePropertyArguments { name: "fixed", readonly: true }
    invoke("declare_property", Buffer.concat([message([1, "fixed"]), Buffer.of(16, 1)])),
    call("proxy_set_property", "fixed", "one"),
    call("proxy_set_property", "fixed", "two"),
    call("proxy_get_property", "fixed", bytes()),
  ),
  {
    ...on("expression", "an expression of CEL that does not parse", invoke("expr_create", "1 +")),
    because: "The host has no CEL: what needs it is a function that a test brings along",
  },
  on(
    "no-result",
    "a result that nobody wants",
    call("proxy_call_foreign_function", "clear_route_cache", "", 0, 0),
  ),
  {
    id: "foreign.configure",
    title: "functions while it is configured",
    probe: onConfigure(invoke("uncompress", PACKED, bytes()), invoke("clear_route_cache", "")),
  },
];
