import { ABI_VERSIONS } from "@weft/sdk/host";
import { answers, does, onConfigure, onRequest, type Table } from "../case.ts";
import { bytes, call, say, trap, word } from "../probe.ts";

const hello = onRequest(say("hello"));
const LONG_AGO = ["proxy_continue_request", "proxy_continue_response", "proxy_clear_route_cache"];

const UNNAMED = "Envoy logs what is said before there is a plugin without the plugin's name";

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
    because: UNNAMED,
    title: "logging is legal in _initialize",
    probe: { on: { _initialize: does(say("early")), ...hello.on } },
  },
  {
    id: "loading.initialize-call",
    title: "other hostcalls are not legal in _initialize",
    probe: { on: { _initialize: does(call("proxy_get_log_level", word())), ...hello.on } },
  },
  {
    id: "loading.initialize-trap",
    title: "a trap in _initialize",
    probe: { on: { _initialize: does(trap), ...hello.on } },
  },
  {
    id: "loading.start",
    because: UNNAMED,
    title: "_start is called where _initialize is not there",
    probe: { on: { _start: does(say("start")), ...hello.on } },
  },
  {
    id: "loading.initialize-first",
    because: UNNAMED,
    title: "_start is not called where _initialize is",
    probe: { on: { _initialize: does(say("init")), _start: does(say("start")), ...hello.on } },
  },
  {
    id: "loading.main",
    because: UNNAMED,
    title: "main is called after _initialize",
    probe: { on: { _initialize: does(), main: answers(0, say("main", 0, 1)), ...hello.on } },
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
