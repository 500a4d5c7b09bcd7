import { answers, ask, type Case, client, does, onRequest, said, type Table } from "../case.ts";
import { bytes, call, hex, type Step, say, time, use, word } from "../probe.ts";

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `roots.${id}`, title, ...rest };
};
const period = (ms: number) => call("proxy_set_tick_period_milliseconds", ms);
const property = (...path: string[]) => call("proxy_get_property", path.join("\0"), bytes());

/** A plugin whose root puts its end off, after its streams have ended, and tells it later. */
const deferring = (streams: number, ...steps: Step[]): Pick<Case, "probe"> => ({
  probe: {
    on: {
      proxy_on_request_headers: does(say("request", 0)),
      proxy_on_done: answers(
        [...Array<number>(streams).fill(1), 0],
        say("is done", 0),
        time(streams + 1, ...steps),
      ),
      proxy_on_tick: does(say("tick", 0), period(0), call("proxy_done"), say("ended")),
      proxy_on_grpc_receive: does(
        say("answered", 0),
        call("proxy_done"),
        call("proxy_done"),
        say("ended"),
      ),
      proxy_on_delete: does(say("delete", 0)),
    },
  },
});

/** Roots: several in a VM, and their end when the plugin is taken out. */
export const roots: Table = [
  on("two", "two roots of one VM, and a stream of each", {
    probe: {
      on: {
        proxy_on_context_create: does(say("create", 0, 1)),
        proxy_on_vm_start: answers(1, say("vm_start", 0, 1)),
        proxy_on_configure: answers(
          1,
          say("configure", 0, 1),
          call("proxy_get_buffer_bytes", 7, 0, 99, bytes()),
        ),
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_response_headers: does(say("response", 0)),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other" }],
    spec: [
      ...["create 1 0", "vm_start 1 0", "configure 1 3", "get_buffer_bytes 0 [one]"],
      ...["create 2 0", "configure 2 5", "get_buffer_bytes 0 [other]"],
      ...["create 3 1", "request 3", "create 4 2", "request 4", "response 4", "response 3"],
      "client 200 upstream",
    ],
  }),
  on("same", "two plugins that are alike are one root", {
    probe: {
      on: {
        proxy_on_context_create: does(say("create", 0, 1)),
        proxy_on_configure: answers(1, say("configure", 0, 1)),
        proxy_on_request_headers: does(say("request", 0)),
      },
    },
    beside: [{}],
  }),
  on("effective-other", "a stream acts for the other root of its VM", {
    probe: {
      on: {
        proxy_on_request_headers: does(
          say("request", 0),
          call("proxy_set_effective_context", 1),
          period(0),
          call("proxy_set_effective_context", 2),
          property("plugin_root_id"),
          period(10),
        ),
        proxy_on_tick: does(say("tick", 0), period(0)),
      },
    },
    configuration: "one",
    beside: [{ configuration: "other" }],
    play: [...ask, said("set_tick_period_milliseconds 0", 5)],
  }),
  on("properties", "what a root can see while it is configured", {
    probe: {
      on: {
        proxy_on_configure: answers(
          1,
          property("plugin_name"),
          property("plugin_root_id"),
          property("plugin_vm_id"),
          property("xds", "node", "id"),
          property("xds", "listener_direction"),
          property("request", "path"),
          property("node", "id"),
          call("proxy_get_property", "xds\0node\0cluster", bytes()),
          call("proxy_get_property", "connection_id", hex),
        ),
      },
    },
  }),
  on("removed", "a plugin is taken out", {
    probe: {
      on: {
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_done: answers(1, say("is done", 0)),
        proxy_on_log: does(say("log", 0)),
        proxy_on_delete: does(say("delete", 0)),
      },
    },
    removal: [said("delete 1")],
  }),
  on("removed-both", "of two roots of a VM one is taken out, and puts its end off", {
    ...deferring(2, period(20)),
    configuration: "one",
    beside: [{ configuration: "other" }],
    removal: [said("delete 1")],
  }),
  on("removed-last", "the last root of a VM puts its end off, and its VM ends", {
    ...deferring(1, period(20), say("asked")),
    removal: [said("asked")],
  }),
  on("removed-at-once", "a root tells its end while it is asked", {
    ...deferring(2, call("proxy_done"), say("asked")),
    configuration: "one",
    beside: [{ configuration: "other" }],
    removal: [said("asked")],
  }),
  on("removed-callout", "a root puts its end off until a call is answered", {
    ...deferring(
      2,
      call("proxy_grpc_call", "grpc", "test.Echo", "Say", "", "bye", 5_000, word("id")),
    ),
    configuration: "one",
    beside: [{ configuration: "other" }],
    removal: [said("delete 1")],
  }),
  on("removed-ticks", "a root that has ended ticks no more", {
    probe: {
      on: {
        proxy_on_configure: answers(1, period(20)),
        proxy_on_done: answers(1, say("is done", 0)),
        proxy_on_tick: does(time(1, say("tick", 0))),
        proxy_on_delete: does(say("delete", 0)),
      },
    },
    play: [said("tick 1"), ...ask],
    removal: [said("delete 1")],
  }),
  on("removed-trap", "a trap while a plugin is taken out", {
    probe: {
      on: {
        proxy_on_done: answers(1, say("is done", 0), time(2, say("traps"), { trap: true })),
        proxy_on_delete: does(say("delete", 0)),
      },
    },
    removal: [said("traps")],
  }),
  on("done-on-stream", "a stream tells the end of a root that has none", {
    probe: onRequest(
      call("proxy_done"),
      call("proxy_set_effective_context", 1),
      call("proxy_done"),
      call("proxy_define_metric", 0, "m", word("id")),
      call("proxy_increment_metric", use("id"), 1n),
    ),
  }),
  on("early", "a request that Envoy answers before the plugin sees it", {
    probe: {
      on: {
        proxy_on_context_create: does(say("create", 0)),
        proxy_on_request_headers: does(say("request", 0)),
        proxy_on_response_headers: does(
          say("response", 0),
          call("proxy_get_header_map_value", 2, ":status", bytes()),
        ),
        proxy_on_log: does(
          say("log", 0),
          call("proxy_get_header_map_value", 0, ":method", bytes()),
          call("proxy_get_property", "response\0code_details", bytes()),
        ),
        proxy_on_done: answers(1, say("done", 0)),
        proxy_on_delete: does(say("delete", 0)),
      },
    },
    play: [client.openAll([":authority", ""]), client.closed, said("delete 2")],
  }),
];
