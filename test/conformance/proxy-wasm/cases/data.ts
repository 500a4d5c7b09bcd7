import { answers, onConfigure, onRequest, type Table } from "../case.ts";
import { bytes, call, hex, long, say, use, word } from "../probe.ts";

const get = (...path: string[]) => call("proxy_get_property", path.join("\0"), bytes());
const number = (...path: string[]) => call("proxy_get_property", path.join("\0"), hex);
const define = (kind: number, name: string, as: string) =>
  call("proxy_define_metric", kind, name, word(as));
const write = (key: string, value: string, cas = 0) =>
  call("proxy_set_shared_data", key, value, cas);
const readShared = (key: string) => call("proxy_get_shared_data", key, bytes(), word());
const KINDS = ["counter", "gauge", "histogram"];

export const properties: Table = [
  ...[
    ["request", "method"],
    ["request", "path"],
    ["request", "url_path"],
    ["request", "query"],
    ["request", "host"],
    ["request", "scheme"],
    ["request", "headers", "x-t-a"],
    ["request", "headers", "none"],
    ["request", "none"],
    ["none"],
    [""],
    ["plugin_root_id"],
    ["plugin_vm_id"],
    ["plugin_name"],
    ["plugin_root_id", ""],
  ].map((path) => ({
    id: `properties.${path.join("/") || "empty"}`,
    title: `property ${path.join(".") || "without a path"}`,
    probe: onRequest(get(...path)),
    request: { headers: [["x-t-a", "one"] as const] },
  })),
  {
    id: "properties.code",
    title: "a number has eight bytes",
    probe: { on: { proxy_on_response_headers: answers(0, number("response", "code")) } },
  },
  {
    id: "properties.set",
    title: "a property that the plugin has set",
    probe: onRequest(call("proxy_set_property", "mine", "value"), get("mine"), get("other")),
  },
  {
    id: "properties.set-twice",
    title: "a property that is set again",
    probe: onRequest(
      call("proxy_set_property", "mine", "one"),
      call("proxy_set_property", "mine", "two"),
      get("mine"),
    ),
  },
  {
    id: "properties.set-configure",
    title: "a root has no properties to set",
    probe: onConfigure(call("proxy_set_property", "mine", "one")),
  },
];

export const metrics: Table = [
  ...KINDS.flatMap((name, kind) => [
    {
      id: `metrics.${name}`,
      title: `a ${name} is recorded, changed both ways and read`,
      probe: onRequest(
        define(kind, `${name}_probe`, "id"),
        call("proxy_record_metric", use("id"), 5n),
        call("proxy_increment_metric", use("id"), 3n),
        call("proxy_increment_metric", use("id"), 0n),
        call("proxy_increment_metric", use("id"), -2n),
        call("proxy_get_metric", use("id"), long),
      ),
    },
    {
      id: `metrics.${name}-ids`,
      title: `ids of ${name}s, one of them defined twice`,
      probe: onRequest(
        define(kind, `${name}_a`, "a"),
        define(kind, `${name}_b`, "b"),
        define(kind, `${name}_a`, "c"),
      ),
    },
    {
      id: `metrics.${name}-unknown`,
      title: `a ${name} that nobody has defined`,
      probe: onRequest(
        call("proxy_record_metric", 400 + kind, 5n),
        call("proxy_increment_metric", 400 + kind, 5n),
        call("proxy_get_metric", 400 + kind, long),
      ),
    },
  ]),
  {
    id: "metrics.kind-unknown",
    title: "a metric of no kind",
    probe: onRequest(define(3, "none", "id"), define(99, "none", "id2")),
  },
];

export const shared: Table = [
  {
    id: "shared.data",
    title: "data is written, read and replaced",
    probe: onRequest(
      readShared("key"),
      write("key", "one"),
      call("proxy_get_shared_data", "key", bytes(), word("cas")),
      call("proxy_set_shared_data", "key", "two", use("cas")),
      call("proxy_set_shared_data", "key", "three", use("cas")),
      call("proxy_get_shared_data", "key", bytes(), word("cas2")),
    ),
    spec: [
      "get_shared_data 1 [] 0",
      "set_shared_data 0",
      "get_shared_data 0 [one] 1",
      "set_shared_data 0",
      "set_shared_data 8",
      "get_shared_data 0 [two] 2",
      "client 200 upstream",
    ],
  },
  {
    id: "shared.cas-absent",
    title: "a comparison with what is not there",
    probe: onRequest(write("key", "one", 7), say("end")),
    spec: ["set_shared_data 8", "end", "client 200 upstream"],
  },
  {
    id: "shared.empty",
    title: "an empty value is there",
    probe: onRequest(write("key", ""), call("proxy_get_shared_data", "key", bytes(), 0x2_2000)),
  },
  {
    id: "shared.queue",
    title: "a queue is registered, filled and emptied",
    probe: onRequest(
      call("proxy_register_shared_queue", "queue", word("id")),
      call("proxy_enqueue_shared_queue", use("id"), "one"),
      call("proxy_enqueue_shared_queue", use("id"), "two"),
      call("proxy_dequeue_shared_queue", use("id"), bytes()),
      call("proxy_dequeue_shared_queue", use("id"), bytes()),
      call("proxy_dequeue_shared_queue", use("id"), bytes()),
    ),
  },
  {
    id: "shared.queue-unknown",
    title: "a queue that nobody has registered",
    probe: onRequest(
      call("proxy_resolve_shared_queue", "vm", "none", word()),
      call("proxy_enqueue_shared_queue", 9_999, "one"),
      call("proxy_dequeue_shared_queue", 9_999, bytes()),
    ),
  },
];
