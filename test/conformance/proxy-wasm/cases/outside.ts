import { onRequest, type Table } from "../case.ts";
import { bytes, call, hidden, say, trap, word } from "../probe.ts";
import { EARLY } from "./loading.ts";

export const others: Table = [
  ...[0, 1, 2, 3, 4, 5, 6, 99].map((level) => ({
    id: `log.level-${level}`,
    title: `logging at level ${level}`,
    probe: onRequest(call("proxy_log", level, `said ${level}`)),
  })),
  {
    id: "log.get-level",
    title: "the level that is logged from",
    probe: onRequest(call("proxy_get_log_level", word())),
  },
  {
    id: "log.memory",
    title: "a message beyond memory",
    probe: onRequest(call("proxy_log", 2, 0x7fff_0000, 9)),
  },
  {
    id: "memory.no-allocation",
    title: "an allocator that has nothing",
    probe: {
      ...onRequest(call("proxy_get_header_map_value", 0, ":method", bytes())),
      allocator: { isEmpty: true },
    },
  },
  {
    id: "memory.allocator-calls",
    title: "an allocator may not call anything else",
    probe: {
      ...onRequest(call("proxy_get_header_map_value", 0, ":method", 0x2_1000, 0x2_1004)),
      allocator: { steps: [call("proxy_get_log_level", 0x2_2000)] },
    },
  },
  ...EARLY.map((step) => ({
    id: `memory.allocator-${step.call}`,
    title: `${step.call} in an allocator`,
    probe: {
      ...onRequest(call("proxy_get_header_map_value", 0, ":method", hidden(), hidden())),
      allocator: { steps: [step] },
    },
  })),
  {
    id: "memory.allocator-traps",
    title: "an allocator that traps",
    probe: {
      ...onRequest(call("proxy_get_header_map_value", 0, ":method", hidden(), hidden())),
      allocator: { steps: [trap] },
    },
  },
  {
    id: "ticks.period",
    title: "a period is set and taken back",
    probe: onRequest(
      call("proxy_set_tick_period_milliseconds", 100_000),
      call("proxy_set_tick_period_milliseconds", 0),
    ),
  },
  ...[1, 2, 3, 0].map((file) => ({
    id: `wasi.fd-write-${file}`,
    title: `fd_write to ${file}`,
    // One vector, whose address and length the metric's id and zero beside it stand in for.
    probe: onRequest(call("fd_write", file, 0x2_2000, 0, word())),
  })),
  ...[0, 1, 2].map((clock) => ({
    id: `wasi.clock-res-${clock}`,
    title: `the resolution of clock ${clock}`,
    probe: onRequest(call("clock_res_get", clock, word())),
  })),
  {
    id: "wasi.clock-unknown",
    title: "the time of no clock",
    probe: onRequest(call("clock_time_get", 2, 0n, 0x2_2000)),
  },
  {
    id: "wasi.random",
    title: "random bytes up to 64 KiB",
    probe: onRequest(call("random_get", 0x5_0000, 65_536), call("random_get", 0x5_0000, 65_537)),
  },
  {
    id: "wasi.arguments",
    title: "no arguments and no variables",
    probe: onRequest(
      call("args_sizes_get", word(), word()),
      call("environ_sizes_get", word(), word()),
      call("args_get", 0, 0),
      call("environ_get", 0, 0),
    ),
  },
  {
    id: "wasi.files",
    title: "files are not there",
    probe: onRequest(
      call("fd_prestat_get", 3, 0),
      call("fd_read", 0, 0, 0, word()),
      call("path_open", 3, 0, 0, 0, 0, 0n, 0n, 0, word()),
      call("fd_fdstat_get", 1, 0x2_2000),
      call("fd_fdstat_get", 3, 0x2_2000),
      call("fd_close", 1),
      call("fd_seek", 1, 0n, 0, word()),
      call("sched_yield"),
    ),
  },
  {
    id: "wasi.exit",
    title: "proc_exit comes back",
    probe: onRequest(call("proc_exit", 3), say("still here")),
  },
  {
    id: "emscripten.calls",
    title: "what old toolchains import",
    probe: onRequest(
      call("pthread_equal", 7, 7),
      call("pthread_equal", 7, 8),
      call("emscripten_notify_memory_growth", 0),
    ),
  },
];
