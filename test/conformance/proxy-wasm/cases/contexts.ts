import { answers, does, onRequest, type Table } from "../case.ts";
import { bytes, call, hex, say, trap, word } from "../probe.ts";

const order = {
  proxy_on_context_create: does(say("create", 0, 1)),
  proxy_on_vm_start: answers(1, say("vm_start", 0, 1)),
  proxy_on_configure: answers(1, say("configure", 0, 1)),
  proxy_on_request_headers: does(say("request", 0, 2)),
  proxy_on_response_headers: does(say("response", 0, 2)),
  proxy_on_done: answers(1, say("done", 0)),
  proxy_on_log: does(say("log", 0)),
  proxy_on_delete: does(say("delete", 0)),
};

/** The life of contexts, and the plugin's configuration. */
export const contexts: Table = [
  {
    id: "contexts.order",
    title: "callbacks of a stream and their contexts, in order",
    probe: { on: order },
    configuration: "four",
    spec: [
      "create 1 0",
      "vm_start 1 0",
      "configure 1 4",
      "create 2 1",
      "request 2 1",
      "response 2 0",
      "done 2",
      "log 2",
      "delete 2",
      "client 200 upstream",
    ],
  },
  {
    id: "contexts.done-false",
    title: "a stream puts its end off",
    probe: {
      on: {
        proxy_on_done: answers(0, say("done")),
        proxy_on_log: does(say("log")),
        proxy_on_delete: does(say("delete")),
      },
    },
    spec: ["done", "client 200 upstream"],
  },
  {
    id: "contexts.done-nothing-pending",
    title: "proxy_done where nothing is pending",
    probe: onRequest(call("proxy_done")),
  },
  ...[0, 1, 2, 3, 99].map((id) => ({
    id: `contexts.effective-${id}`,
    title: `proxy_set_effective_context(${id}) by stream 2 of root 1`,
    probe: onRequest(call("proxy_set_effective_context", id)),
  })),
  {
    id: "contexts.effective-root",
    title: "on its root, a stream's headers are not there",
    probe: onRequest(
      call("proxy_set_effective_context", 1),
      call("proxy_get_header_map_value", 0, ":method", bytes()),
      call("proxy_set_effective_context", 2),
      call("proxy_get_header_map_value", 0, ":method", bytes()),
    ),
  },
  {
    id: "contexts.trap-request",
    title: "a trap on a request",
    probe: onRequest(say("before"), trap),
  },
  {
    id: "contexts.trap-log",
    title: "a trap while it logs",
    probe: { on: { proxy_on_log: does(say("log"), trap) } },
  },
  ...[
    [0, 100],
    [1, 2],
    [4, 1],
    [0, 4],
    [5, 1],
  ].map(([start = 0, max = 0]) => ({
    id: `contexts.configuration-${start}-${max}`,
    title: `plugin configuration, ${max} bytes from ${start} of 4`,
    probe: {
      on: {
        proxy_on_configure: answers(1, call("proxy_get_buffer_bytes", 7, start, max, bytes())),
      },
    },
    configuration: "four",
    ...(start > 4 && {
      spec: ["get_buffer_bytes 2 []", "client 200 upstream"],
    }),
  })),
  {
    id: "contexts.configuration-later",
    title: "plugin configuration on a request",
    probe: onRequest(call("proxy_get_buffer_bytes", 7, 0, 9, bytes())),
    configuration: "four",
  },
  {
    id: "contexts.configuration-status",
    title: "plugin configuration's size",
    probe: {
      on: { proxy_on_configure: answers(1, call("proxy_get_buffer_status", 7, word(), word())) },
    },
    configuration: "four",
  },
  {
    id: "contexts.configuration-write",
    title: "plugin configuration is read-only",
    probe: { on: { proxy_on_configure: answers(1, call("proxy_set_buffer_bytes", 7, 0, 4, "x")) } },
    configuration: "four",
  },
  {
    id: "contexts.vm-configuration",
    title: "VM configuration is always there",
    probe: onRequest(call("proxy_get_buffer_bytes", 6, 0, 9, bytes())),
    spec: ["get_buffer_bytes 1 []", "client 200 upstream"],
  },
  {
    id: "contexts.status",
    title: "proxy_get_status without a callout",
    probe: onRequest(call("proxy_get_status", word(), hex)),
  },
];
