import { ABI_VERSIONS } from "@weft/sdk/host";
import { answers, does, onConfigure, onRequest, type Table } from "../case.ts";
import { bytes, call, quiet, say, trap, word } from "../probe.ts";

/** Memory that is free for results nobody looks at. */
const AT = 0x2_7000;
const hello = onRequest(say("hello"));
const LONG_AGO = ["proxy_continue_request", "proxy_continue_response", "proxy_clear_route_cache"];

/** Calls that a module might make while it starts, or while it allocates. */
export const EARLY = [
  call("fd_write", 1, AT, 0, AT),
  call("fd_read", 0, AT, 0, AT),
  call("fd_seek", 1, 0n, 0, AT),
  call("fd_close", 1),
  call("fd_fdstat_get", 1, AT),
  call("fd_prestat_get", 3, AT),
  call("fd_prestat_dir_name", 3, AT, 0),
  call("path_open", 3, 0, AT, 0, 0, 0n, 0n, 0, AT),
  call("args_sizes_get", AT, AT),
  call("args_get", AT, AT),
  call("environ_sizes_get", AT, AT),
  call("environ_get", AT, AT),
  call("clock_time_get", 0, 0n, AT),
  call("clock_res_get", 0, AT),
  call("random_get", AT, 4),
  call("poll_oneoff", AT, AT, 0, AT),
  call("sched_yield"),
  call("proc_exit", 0),
  call("pthread_equal", 1, 1),
  call("emscripten_notify_memory_growth", 0),
  call("proxy_log", 1, AT, 0),
  call("proxy_get_current_time_nanoseconds", AT),
  call("proxy_get_buffer_bytes", 6, 0, 0, AT, AT),
  call("proxy_get_property", "plugin_name", AT, AT),
  call("proxy_set_tick_period_milliseconds", 0),
].map(quiet);

/** Says something before there is a plugin: nobody but the probe itself can tell of what case. */
const early = (id: string, ...words: (string | number)[]) => {
  const [first = "", ...rest] = words;
  return say(`loading.${id}: ${first}`, ...rest);
};

/** Markers, imports and exports: what links, and what is refused. */
export const loading: Table = [
  ...ABI_VERSIONS.map((abi) => ({
    id: `loading.marker-${abi}`,
    title: `a module of ${abi} is loaded`,
    probe: { ...hello, abi },
  })),
  { id: "loading.marker-none", title: "no marker", probe: { ...hello, abi: "none" } },
  {
    id: "loading.import-unknown",
    title: "an import that no host has",
    probe: onRequest(call("none_such", 0)),
  },
  {
    id: "loading.import-type",
    title: "an import of another type",
    probe: { ...onRequest(call("proxy_done", 0)), types: { proxy_done: "i32 -> i32" } },
  },
  {
    id: "loading.export-type",
    title: "a callback of another type",
    probe: { ...hello, types: { proxy_on_request_headers: "i32 -> i32" } },
  },
  {
    id: "loading.no-memory",
    title: "memory not exported",
    probe: { ...hello, exportsMemory: false },
    killsEnvoy: true,
    because: "The host refuses what Envoy dies of when it first reaches for the memory",
  },
  { id: "loading.memory-max", title: "16385 pages", probe: { ...hello, memoryPages: 16_385 } },
  {
    id: "loading.log-level-0.2.0",
    title: "proxy_get_log_level belongs to 0.2.1",
    probe: { ...onRequest(call("proxy_get_log_level", word())), abi: "0.2.0" },
  },
  ...LONG_AGO.flatMap((name) => [
    {
      id: `loading.${name}-0.1.0`,
      title: `${name} belongs to 0.1.0`,
      probe: { ...onRequest(call(name)), abi: "0.1.0" as const },
      // There is no response yet to go on with.
      killsEnvoy: name === "proxy_continue_response",
    },
    {
      id: `loading.${name}-0.2.1`,
      title: `${name} is gone in 0.2.1`,
      probe: onRequest(call(name)),
    },
  ]),
  ...(["proxy_continue_stream", "proxy_close_stream"] as const).map((name) => ({
    id: `loading.${name}-0.1.0`,
    title: `${name} is not there in 0.1.0`,
    probe: { ...onRequest(call(name, 0)), abi: "0.1.0" as const },
  })),
  {
    id: "loading.configuration-0.1.0",
    title: "proxy_get_configuration answers the plugin's",
    probe: { ...onConfigure(call("proxy_get_configuration", bytes())), abi: "0.1.0" },
    configuration: "blue",
  },
  {
    id: "loading.initialize-log",
    title: "logging is legal in _initialize",
    probe: { on: { _initialize: does(early("initialize-log", "early")), ...hello.on } },
  },
  {
    id: "loading.initialize-call",
    title: "other hostcalls are not legal in _initialize",
    probe: { on: { _initialize: does(call("proxy_get_log_level", word())), ...hello.on } },
  },
  ...EARLY.map((step) => ({
    id: `loading.initialize-${step.call}`,
    title: `${step.call} in _initialize`,
    probe: { on: { _initialize: does(step), ...hello.on } },
  })),
  {
    id: "loading.initialize-trap",
    title: "a trap in _initialize",
    probe: { on: { _initialize: does(trap), ...hello.on } },
  },
  {
    id: "loading.start",
    title: "_start is called where _initialize is not there",
    probe: { on: { _start: does(early("start", "start")), ...hello.on } },
  },
  {
    id: "loading.initialize-first",
    title: "_start is not called where _initialize is",
    probe: {
      on: {
        _initialize: does(early("initialize-first", "initialize")),
        _start: does(early("initialize-first", "start")),
        ...hello.on,
      },
    },
  },
  {
    id: "loading.main",
    title: "main is called after _initialize",
    probe: {
      on: { _initialize: does(), main: answers(0, early("main", "main", 0, 1)), ...hello.on },
    },
  },
  {
    id: "loading.vm-start-refuses",
    title: "proxy_on_vm_start answers false",
    probe: { on: { proxy_on_vm_start: answers(0) } },
  },
  {
    id: "loading.configure-refuses",
    title: "proxy_on_configure answers false",
    probe: { on: { proxy_on_configure: answers(0) } },
  },
  {
    id: "loading.configure-traps",
    title: "proxy_on_configure traps",
    probe: { on: { proxy_on_configure: does(trap) } },
  },
  {
    id: "loading.validate-refuses",
    title: "proxy_validate_configuration answers false",
    probe: { on: { proxy_validate_configuration: answers(0) } },
  },
];
