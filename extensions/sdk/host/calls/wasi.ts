import { type Hostcall, text, wasiCall } from "../hostcall.ts";
import { Errno, LogLevel } from "../status.ts";
import type { Vm } from "../vm.ts";

const [STDOUT, STDERR] = [1, 2];
const [REALTIME, MONOTONIC] = [0, 1];
const RANDOM_BYTES_MAX = 65_536;
const FDSTAT_BYTES = 24;

const isOutput = (file: number) => file === STDOUT || file === STDERR;

/** The variables as the guest wants them: each ends with a zero. */
const variables = (vm: Vm): Buffer[] =>
  Object.entries(vm.world.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));

const working: Record<string, Hostcall> = {
  fd_write: wasiCall("nnnn", (vm, file, vectors, count, written) => {
    if (!isOutput(file)) return Errno.badFile;
    const parts = Array.from({ length: count }, (_, i) => {
      const at = vectors + 8 * i;
      return vm.memory.read(vm.memory.readU32(at), vm.memory.readU32(at + 4));
    });
    const all = Buffer.concat(parts);
    const level = file === STDOUT ? LogLevel.info : LogLevel.error;
    if (all.byteLength > 0) vm.log(level, text(all).replace(/\n$/, ""));
    vm.memory.writeU32(written, all.byteLength);
    return Errno.ok;
  }),
  clock_time_get: wasiCall("nIn", (vm, clock, _precision, out) => {
    if (clock !== REALTIME && clock !== MONOTONIC) return Errno.notSupported;
    vm.memory.writeU64(out, vm.world.clock.nowNs);
    return Errno.ok;
  }),
  clock_res_get: wasiCall("nn", (vm, clock, out) => {
    if (clock !== REALTIME && clock !== MONOTONIC) return Errno.notSupported;
    vm.memory.writeU64(out, 1n);
    return Errno.ok;
  }),
  random_get: wasiCall("nn", (vm, address, length) => {
    if (length > RANDOM_BYTES_MAX) return Errno.invalid;
    vm.memory.write(address, vm.world.random(length));
    return Errno.ok;
  }),
  environ_sizes_get: wasiCall("nn", (vm, countOut, bytesOut) => {
    vm.memory.writeU32(countOut, variables(vm).length);
    vm.memory.writeU32(bytesOut, Buffer.concat(variables(vm)).byteLength);
    return Errno.ok;
  }),
  environ_get: wasiCall("nn", (vm, table, bytes) => {
    let at = bytes;
    for (const [i, variable] of variables(vm).entries()) {
      vm.memory.writeU32(table + 4 * i, at);
      vm.memory.write(at, variable);
      at += variable.byteLength;
    }
    return Errno.ok;
  }),
  args_sizes_get: wasiCall("nn", (vm, countOut, bytesOut) => {
    vm.memory.writeU32(countOut, 0);
    vm.memory.writeU32(bytesOut, 0);
    return Errno.ok;
  }),
  args_get: wasiCall("nn", () => Errno.ok),
  fd_fdstat_get: wasiCall("nn", (vm, file, out) => {
    if (!isOutput(file)) return Errno.badFile;
    vm.memory.write(out, new Uint8Array(FDSTAT_BYTES));
    return Errno.ok;
  }),
  poll_oneoff: wasiCall("nnnn", (vm, _in, _out, _count, eventsOut) => {
    vm.memory.writeU32(eventsOut, 0);
    return Errno.ok;
  }),
  sched_yield: wasiCall("", () => Errno.ok),
  // Envoy only says so in its own log: the guest goes on.
  proc_exit: wasiCall("n", () => undefined, ""),
  fd_seek: wasiCall("nInn", () => Errno.ok),
  fd_close: wasiCall("n", () => Errno.ok),
  fd_read: wasiCall("nnnn", () => Errno.notImplemented),
  fd_prestat_get: wasiCall("nn", () => Errno.badFile),
  fd_prestat_dir_name: wasiCall("nnn", () => Errno.badFile),
  path_open: wasiCall("nnnnnIInn", () => Errno.notFound),
};

/** Calls that link and do nothing. */
const STUBS: Readonly<Record<string, string>> = {
  fd_advise: "nIIn",
  fd_allocate: "nII",
  fd_datasync: "n",
  fd_fdstat_set_flags: "nn",
  fd_fdstat_set_rights: "nII",
  fd_filestat_get: "nn",
  fd_filestat_set_size: "nI",
  fd_filestat_set_times: "nIIn",
  fd_pread: "nnnIn",
  fd_pwrite: "nnnIn",
  fd_readdir: "nnnIn",
  fd_renumber: "nn",
  fd_sync: "n",
  fd_tell: "nn",
  path_create_directory: "nnn",
  path_filestat_get: "nnnnn",
  path_filestat_set_times: "nnnnIIn",
  path_link: "nnnnnn",
  path_readlink: "nnnnnn",
  path_remove_directory: "nnn",
  path_rename: "nnnnnn",
  path_symlink: "nnnn",
  path_unlink_file: "nnn",
  sock_accept: "nnn",
  sock_recv: "nnnnnn",
  sock_send: "nnnnn",
  sock_shutdown: "nn",
};

const stubs = Object.entries(STUBS).map(
  ([name, ins]) => [name, wasiCall(ins, () => Errno.notSupported)] as const,
);

export const wasiCalls: Readonly<Record<string, Hostcall>> = {
  ...Object.fromEntries(stubs),
  ...working,
};
