import { encodePairs } from "@weft/sdk/host";
import { answers, does, onRequest, type Table } from "../case.ts";
import { bytes, call, hex, say, word } from "../probe.ts";

const get = (name: string, kind = 0) => call("proxy_get_header_map_value", kind, name, bytes());
const ECHO = [["x-t-a", "one"]] as const;

const u32 = (...words: number[]) => Uint8Array.from(new Uint8Array(Uint32Array.from(words).buffer));
const MALFORMED: readonly (readonly [name: string, pairs: Uint8Array])[] = [
  ["short", Uint8Array.of(1, 0)],
  ["count", u32(9)],
  ["lengths", u32(1, 99, 99)],
  ["no-zero", Uint8Array.of(...u32(1, 1, 1), 97, 98)],
  ["rest", Uint8Array.of(...encodePairs([["x-t-b", "two"]]), 0)],
  ["zero-byte", Uint8Array.of(0)],
  ["empty", new Uint8Array()],
];
const PSEUDO = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "probe"],
  [":scheme", "http"],
  // Without it Envoy finds no route.
  ["x-forwarded-proto", "http"],
] as const;

/** Header maps: values, pairs, and when they are there. */
export const maps: Table = [
  { id: "maps.get", title: "a value", probe: onRequest(get(":method")) },
  { id: "maps.get-absent", title: "an absent value", probe: onRequest(get("x-t-none")) },
  {
    id: "maps.get-absent-0.1.0",
    title: "an absent value in 0.1.0",
    probe: { ...onRequest(get("x-t-none")), abi: "0.1.0" },
  },
  {
    id: "maps.get-case",
    title: "names are case-insensitive",
    probe: onRequest(get("X-T-A")),
    request: { headers: ECHO },
  },
  {
    id: "maps.get-repeated",
    title: "the first of repeated values",
    probe: onRequest(get("x-t-a")),
    request: { headers: [...ECHO, ["x-t-a", "two"]] },
  },
  {
    id: "maps.get-empty",
    title: "an empty value",
    probe: onRequest(get("x-t-a")),
    request: { headers: [["x-t-a", ""]] },
  },
  {
    id: "maps.get-empty-name",
    title: "an empty name",
    probe: onRequest(get("")),
  },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 99].flatMap((kind) => [
    {
      id: `maps.get-kind-${kind}`,
      title: `a value of map ${kind} on request headers`,
      probe: onRequest(get(":method", kind)),
    },
    {
      id: `maps.pairs-kind-${kind}`,
      title: `pairs of map ${kind} on request headers`,
      probe: onRequest(call("proxy_get_header_map_pairs", kind, hex)),
    },
    {
      id: `maps.add-kind-${kind}`,
      title: `adding to map ${kind} on request headers`,
      probe: onRequest(call("proxy_add_header_map_value", kind, "x-added", "1")),
    },
  ]),
  {
    id: "maps.add",
    title: "a value is added",
    probe: onRequest(call("proxy_add_header_map_value", 0, "x-t-b", "two"), get("x-t-b")),
    request: { headers: ECHO },
  },
  {
    id: "maps.add-repeated",
    title: "a value is added beside another",
    probe: onRequest(call("proxy_add_header_map_value", 0, "x-t-a", "two")),
    request: { headers: ECHO },
  },
  {
    id: "maps.add-case",
    title: "names are lower-cased on write",
    probe: onRequest(call("proxy_add_header_map_value", 0, "X-T-B", "Two")),
  },
  {
    id: "maps.replace",
    title: "one value replaces all",
    probe: onRequest(call("proxy_replace_header_map_value", 0, "x-t-a", "three")),
    request: { headers: [...ECHO, ["x-t-a", "two"]] },
  },
  {
    id: "maps.replace-absent",
    title: "an absent value is replaced",
    probe: onRequest(call("proxy_replace_header_map_value", 0, "x-t-b", "two")),
  },
  {
    id: "maps.remove",
    title: "all values are removed",
    probe: onRequest(call("proxy_remove_header_map_value", 0, "x-t-a"), get("x-t-a")),
    request: { headers: [...ECHO, ["x-t-a", "two"]] },
  },
  {
    id: "maps.remove-absent",
    title: "an absent value is removed",
    probe: onRequest(call("proxy_remove_header_map_value", 0, "x-t-none")),
  },
  {
    id: "maps.set-pairs",
    title: "pairs replace all headers",
    probe: onRequest(
      call("proxy_set_header_map_pairs", 0, encodePairs([...PSEUDO, ["X-T-B", "two"]])),
      get("x-t-b"),
      get("x-t-a"),
    ),
    request: { headers: ECHO },
  },
  ...MALFORMED.map(([name, pairs]) => ({
    id: `maps.set-pairs-${name}`,
    title: `pairs that are ${name}`,
    probe: {
      on: {
        proxy_on_response_headers: does(
          call("proxy_set_header_map_pairs", 2, pairs),
          get("x-saw", 2),
          call("proxy_add_header_map_value", 2, ":status", "200"),
        ),
      },
    },
    request: { headers: ECHO },
  })),
  {
    id: "maps.response",
    title: "response headers are read and changed",
    probe: {
      on: {
        proxy_on_response_headers: does(
          get(":status", 2),
          call("proxy_add_header_map_value", 2, "x-added", "yes"),
        ),
      },
    },
  },
  {
    id: "maps.request-on-response",
    title: "request headers on response headers",
    probe: { on: { proxy_on_response_headers: does(get(":method"), get(":status", 2)) } },
  },
  {
    id: "maps.request-on-body",
    title: "request headers on a request's body",
    probe: { on: { proxy_on_request_body: does(get(":method")) } },
    request: { body: "body" },
  },
  {
    id: "maps.log",
    title: "maps while it logs",
    probe: {
      on: {
        proxy_on_log: does(
          get(":method"),
          get("x-none"),
          get(":status", 2),
          get("x-none", 1),
          call("proxy_get_header_map_pairs", 3, hex),
          call("proxy_add_header_map_value", 0, "x-t-a", "1"),
        ),
      },
    },
  },
  {
    id: "maps.configure",
    title: "maps while it is configured",
    probe: { on: { proxy_on_configure: answers(1, get(":method"), say("end")) } },
  },
  {
    id: "maps.size-absent",
    title: "the size of a map that is not there",
    probe: onRequest(call("proxy_get_header_map_size", 2, word())),
  },
  {
    id: "maps.memory",
    title: "a name beyond memory",
    probe: onRequest(call("proxy_get_header_map_value", 0, 0x7fff_0000, 9, bytes())),
  },
  {
    id: "maps.out",
    title: "a result beyond memory",
    probe: onRequest(call("proxy_get_header_map_value", 0, ":method", 0x7fff_0000, 0x7fff_0000)),
  },
];
