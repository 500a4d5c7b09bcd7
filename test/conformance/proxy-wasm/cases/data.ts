import { answers, client, does, onConfigure, onRequest, said, type Table } from "../case.ts";
import {
  bytes,
  call,
  hex,
  hidden,
  long,
  type Probe,
  type Step,
  say,
  time,
  use,
  word,
} from "../probe.ts";
import { soon } from "./later.ts";

const get = (...path: string[]) => call("proxy_get_property", path.join("\0"), bytes());
const number = (...path: string[]) => call("proxy_get_property", path.join("\0"), hex);
const define = (kind: number, name: string, as: string) =>
  call("proxy_define_metric", kind, name, word(as));
const write = (key: string, value: string, cas = 0) =>
  call("proxy_set_shared_data", key, value, cas);
const readShared = (key: string) => call("proxy_get_shared_data", key, bytes(), hidden());
const KINDS = ["counter", "gauge", "histogram"];

/** What a plugin may ask in each phase: the value is the same everywhere. */
const TEXTS = [
  "request.method",
  "request.path",
  "request.headers.x-t-a",
  "request.protocol",
  "request.useragent",
  "response.headers.content-type",
  "response.trailers.x-t-z",
  "response.code_details",
  "plugin_name",
  "plugin_root_id",
  "xds.route_name",
  "xds.virtual_host_name",
  "xds.filter_chain_name",
  "xds.cluster_name",
  "xds.node.id",
  "connection.requested_server_name",
  "upstream.transport_failure_reason",
];
const NUMBERS = [
  "request.size",
  "response.code",
  "response.size",
  "response.grpc_status",
  "response.flags",
  "xds.listener_direction",
  "upstream.request_attempt_count",
  "connection.mtls",
];
const CHOSEN = [
  "request.id",
  "request.time",
  "request.duration",
  "request.total_size",
  "request.headers_bytes",
  "response.total_size",
  "response.headers_bytes",
  "response.backend_latency",
  "source.address",
  "source.port",
  "destination.address",
  "connection.id",
  "connection_id",
  "upstream.address",
  "upstream.port",
  "upstream.num_endpoints",
  "connection.tls_version",
  "connection.termination_details",
  "filter_state",
  "metadata",
  "xds.route_metadata",
  "xds.node",
];

const PHASES = {
  request_headers: "proxy_on_request_headers",
  request_body: "proxy_on_request_body",
  response_headers: "proxy_on_response_headers",
  response_body: "proxy_on_response_body",
  log: "proxy_on_log",
  tick: "proxy_on_tick",
} as const;

/** Asks once, in one callback; on a tick, on behalf of the root. */
function inPhase(callback: string, ...steps: Step[]): Probe {
  const off = call("proxy_set_tick_period_milliseconds", 0);
  if (callback !== "proxy_on_tick") return { on: { [callback]: does(time(1, ...steps)) } };
  const tick = does(time(1, off, ...steps, say("later")));
  return { on: { proxy_on_configure: answers(1, soon), proxy_on_tick: tick } };
}

const PHASE_PLAY = [
  ...[client.open(["x-t-a", "one"]), client.send("abcd"), client.end, client.closed],
];

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
  ...Object.entries(PHASES).flatMap(([phase, callback]) => [
    {
      id: `properties.in-${phase}`,
      title: `properties of text ${phase === "tick" ? "on a tick" : `in proxy_on_${phase}`}`,
      probe: inPhase(callback, ...TEXTS.map((path) => get(...path.split(".")))),
      play: phase === "tick" ? [...PHASE_PLAY, said("later")] : PHASE_PLAY,
    },
    {
      id: `properties.numbers-in-${phase}`,
      title: `properties of eight bytes ${phase === "tick" ? "on a tick" : `in proxy_on_${phase}`}`,
      probe: inPhase(callback, ...NUMBERS.map((path) => number(...path.split(".")))),
      play: phase === "tick" ? [...PHASE_PLAY, said("later")] : PHASE_PLAY,
    },
    {
      id: `properties.there-in-${phase}`,
      title: `properties whose value is the host's affair ${phase === "tick" ? "on a tick" : `in proxy_on_${phase}`}`,
      probe: inPhase(
        callback,
        ...CHOSEN.map((path) =>
          call("proxy_get_property", path.replaceAll(".", "\0"), hidden(), hidden()),
        ),
      ),
      play: phase === "tick" ? [...PHASE_PLAY, said("later")] : PHASE_PLAY,
    },
  ]),
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
    id: "metrics.counter-recorded",
    title: "a counter is recorded twice",
    probe: onRequest(
      define(0, "recorded_probe", "id"),
      call("proxy_record_metric", use("id"), 5n),
      call("proxy_record_metric", use("id"), 3n),
      call("proxy_get_metric", use("id"), long),
    ),
    spec: [
      ...["define_metric 0 4", "record_metric 0", "record_metric 0", "get_metric 0 3"],
      "client 200 upstream",
    ],
  },
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
      call("proxy_get_shared_data", "key", bytes(), hidden("cas")),
      call("proxy_set_shared_data", "key", "two", use("cas")),
      call("proxy_set_shared_data", "key", "three", use("cas")),
      call("proxy_get_shared_data", "key", bytes(), hidden()),
    ),
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
      call("proxy_register_shared_queue", "queue", hidden("id")),
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
      call("proxy_resolve_shared_queue", "vm", "none", hidden()),
      call("proxy_enqueue_shared_queue", 9_999, "one"),
      call("proxy_dequeue_shared_queue", 9_999, bytes()),
    ),
  },
];
