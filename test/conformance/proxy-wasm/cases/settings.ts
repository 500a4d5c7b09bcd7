import { answers, ask, type Case, client, does, onRequest, said, type Table } from "../case.ts";
import { bytes, call, hex, say, word } from "../probe.ts";

const on = (id: string, title: string, rest: Omit<Case, "id" | "title">): Case => {
  return { id: `settings.${id}`, title, ...rest };
};

/** What is left of a plugin when only some names are allowed. */
const restricted = (id: string, title: string, rest: Omit<Case, "id" | "title">) =>
  on(`capabilities-${id}`, title, rest);

const every = {
  proxy_on_context_create: does(say("create", 0)),
  proxy_on_vm_start: answers(0, say("vm_start")),
  proxy_on_configure: answers(0, say("configure")),
  proxy_on_request_headers: does(say("request")),
  proxy_on_response_headers: does(say("response")),
  proxy_on_log: does(say("log")),
  proxy_on_done: answers(1, say("done")),
  proxy_on_delete: does(say("delete")),
};

/** A VM's configuration and variables, and what it is allowed to use. */
export const settings: Table = [
  on("vm-configuration", "the VM's configuration, at any time", {
    vmConfiguration: "for the vm",
    configuration: "blue",
    probe: {
      on: {
        proxy_on_vm_start: answers(
          1,
          say("vm_start", 0, 1),
          call("proxy_get_buffer_bytes", 6, 0, 99, bytes()),
          call("proxy_get_buffer_bytes", 7, 0, 99, bytes()),
        ),
        proxy_on_configure: answers(
          1,
          say("configure", 0, 1),
          call("proxy_get_buffer_bytes", 6, 4, 3, bytes()),
          call("proxy_get_buffer_bytes", 7, 0, 99, bytes()),
          call("proxy_get_buffer_status", 6, word(), word()),
        ),
        proxy_on_request_headers: does(
          call("proxy_get_buffer_bytes", 6, 0, 99, bytes()),
          call("proxy_set_buffer_bytes", 6, 0, 99, "x"),
        ),
      },
    },
  }),
  on("environment", "variables over WASI", {
    environment: { COLOUR: "blue" },
    probe: onRequest(
      call("environ_sizes_get", word(), word()),
      call("environ_get", 0x2_7000, 0x2_7010),
      call("proxy_log", 2, 0x2_7010, 11),
    ),
  }),
  on("exit", "proc_exit on a start, and what comes after it", {
    probe: {
      on: {
        proxy_on_configure: answers(1, call("proc_exit", 1), say("goes on")),
        proxy_on_request_headers: does(say("request")),
      },
    },
  }),
  on("exit-initialize", "proc_exit in _initialize", {
    probe: {
      on: {
        _initialize: does(call("proc_exit", 0)),
        proxy_on_request_headers: does(say("request")),
      },
    },
  }),
  on("many-environment", "variables in their order", {
    environment: { B: "2", A: "1" },
    probe: onRequest(call("environ_sizes_get", word(), word())),
  }),
  restricted("import", "a hostcall that is not allowed", {
    capabilities: ["proxy_on_request_headers", "proxy_log"],
    probe: onRequest(
      call("proxy_get_header_map_value", 0, ":method", bytes()),
      call("proxy_get_log_level", word()),
      call("fd_write", 1, 0x2_7000, 0, word()),
      call("random_get", 0x2_7000, 4),
      call("proc_exit", 1),
      say("end"),
    ),
  }),
  restricted("log", "logging is not allowed", {
    capabilities: ["proxy_on_request_headers"],
    probe: onRequest(say("never")),
  }),
  restricted("export", "callbacks that are not allowed", {
    capabilities: ["proxy_on_request_headers", "proxy_on_log", "proxy_log"],
    probe: { on: every },
    play: [...ask, said("log")],
  }),
  restricted("configure", "a plugin that would refuse may not be asked", {
    capabilities: ["proxy_log", "proxy_on_vm_start"],
    probe: { on: { ...every, proxy_on_vm_start: answers(1, say("vm_start")) } },
  }),
  restricted("unknown", "a name that nobody has is allowed", {
    capabilities: ["none_such"],
    probe: { on: every },
  }),
  restricted("initialize", "_initialize is not named among what is allowed", {
    capabilities: ["proxy_log", "proxy_on_request_headers"],
    probe: {
      on: {
        _initialize: does(say("settings.capabilities-initialize: early")),
        proxy_on_request_headers: does(say("request")),
      },
    },
  }),
  restricted("main", "main and _start are not named among what is allowed", {
    capabilities: ["proxy_log", "proxy_on_request_headers"],
    probe: {
      on: {
        _initialize: does(),
        main: answers(0, say("settings.capabilities-main: main")),
        proxy_on_request_headers: does(say("request")),
      },
    },
  }),
  restricted("void", "a hostcall without an answer that is not allowed", {
    capabilities: ["proxy_log", "proxy_on_request_headers"],
    probe: onRequest(
      call("emscripten_notify_memory_growth", 0),
      call("pthread_equal", 1, 1),
      say("end"),
    ),
  }),
  on("levels", "a plugin asks for its level and logs at each", {
    probe: onRequest(
      call("proxy_get_log_level", word()),
      ...[0, 1, 2, 3, 4, 5].map((level) => call("proxy_log", level, `at ${level}`)),
    ),
  }),
  on("time", "the time, in nanoseconds", {
    probe: onRequest(
      call("proxy_get_current_time_nanoseconds", 0x2_7000),
      call("clock_time_get", 0, 0n, 0x2_7000),
      call("clock_time_get", 1, 0n, 0x2_7000),
      call("poll_oneoff", 0, 0, 0, word()),
    ),
  }),
  on("no-configuration", "sizes where there is no configuration", {
    probe: {
      on: {
        proxy_on_vm_start: answers(1, say("vm_start", 1)),
        proxy_on_configure: answers(
          1,
          say("configure", 1),
          call("proxy_get_buffer_bytes", 7, 0, 9, hex),
          call("proxy_get_buffer_status", 7, word(), word()),
        ),
      },
    },
    play: [client.openAll(), client.closed],
  }),
];
