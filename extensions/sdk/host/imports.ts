import type { GuestMemory } from "./guest-memory.ts";
import { encodePairs, type HeaderMap } from "./header-map.ts";
import type { Imports } from "./webassembly.ts";

/** The answers of hostcalls (ABI, "Status"). */
const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const INVALID_MEMORY_ACCESS = 6;

const LOUDEST_LEVEL = 5;
const PLUGIN_CONFIGURATION = 7;
const COUNTER = 0;

/** The low bits of a metric's id tell its kind, so ids of one kind lie this far apart. */
const METRIC_ID_STEP = 4;

/** What hostcalls act on. The host changes it between the callbacks. */
export interface World {
  readonly memory: GuestMemory;
  /** Asks the plugin for memory; 0 if it has none. */
  allocate(bytes: number): number;
  /** Throws if this hostcall is not allowed now. */
  permit(call: string): void;
  readonly log: (level: number, message: string) => void;
  readonly logLevel: number;
  /** Present while the plugin is being configured. */
  readonly configuration: Uint8Array | null;
  /** The maps there are now, by the ABI's number. */
  readonly maps: ReadonlyMap<number, HeaderMap>;
  readonly counters: Map<string, bigint>;
}

type Hostcall = (...words: number[]) => number;

/** The functions of module `env`. */
export function createImports(world: World): Imports[string] {
  const calls: Record<string, Hostcall> = { ...logCalls(world), ...bufferCalls(world) };
  const all = { ...calls, ...headerCalls(world), ...metricCalls(world) };
  const permitted = Object.entries(all).map(([name, call]) => [
    name,
    (...words: number[]) => {
      world.permit(name);
      return call(...words);
    },
  ]);
  return Object.fromEntries(permitted);
}

function text(world: World, address: number, length: number): string {
  return Buffer.from(world.memory.read(address, length)).toString();
}

/** Hands bytes over: into memory the plugin allocates, which may move every view of it. */
function give(world: World, bytes: Uint8Array, addressOut: number, lengthOut: number): number {
  const address = bytes.byteLength === 0 ? 0 : world.allocate(bytes.byteLength);
  if (address === 0 && bytes.byteLength > 0) return INVALID_MEMORY_ACCESS;
  world.memory.write(address, bytes);
  world.memory.writeU32(addressOut, address);
  world.memory.writeU32(lengthOut, bytes.byteLength);
  return OK;
}

function logCalls(world: World) {
  return {
    proxy_log: (level = 0, message = 0, length = 0) => {
      if (level >>> 0 > LOUDEST_LEVEL) return BAD_ARGUMENT;
      if (level >= world.logLevel) world.log(level, text(world, message, length));
      return OK;
    },
    proxy_get_log_level: (levelOut = 0) => {
      world.memory.writeU32(levelOut, world.logLevel);
      return OK;
    },
  };
}

function bufferCalls(world: World) {
  return {
    proxy_get_buffer_bytes: (kind = 0, start = 0, max = 0, address = 0, length = 0) => {
      if (kind !== PLUGIN_CONFIGURATION || world.configuration === null) return NOT_FOUND;
      const end = (start >>> 0) + (max >>> 0);
      return give(world, world.configuration.subarray(start >>> 0, end), address, length);
    },
  };
}

function headerCalls(world: World): Record<string, Hostcall> {
  const on = (kind: number, act: (map: HeaderMap) => number) => {
    const map = world.maps.get(kind);
    return map === undefined ? BAD_ARGUMENT : act(map);
  };
  return {
    proxy_get_header_map_pairs: (kind = 0, address = 0, length = 0) =>
      on(kind, (map) => give(world, encodePairs(map.entries()), address, length)),
    proxy_get_header_map_value: (kind = 0, key = 0, keyLength = 0, address = 0, length = 0) =>
      on(kind, (map) => {
        const value = map.first(text(world, key, keyLength));
        return value === undefined ? NOT_FOUND : give(world, Buffer.from(value), address, length);
      }),
    proxy_add_header_map_value: (kind = 0, key = 0, keyLength = 0, value = 0, length = 0) =>
      on(kind, (map) => {
        map.add(text(world, key, keyLength), text(world, value, length));
        return OK;
      }),
    proxy_replace_header_map_value: (kind = 0, key = 0, keyLength = 0, value = 0, length = 0) =>
      on(kind, (map) => {
        map.replace(text(world, key, keyLength), text(world, value, length));
        return OK;
      }),
    proxy_remove_header_map_value: (kind = 0, key = 0, keyLength = 0) =>
      on(kind, (map) => {
        map.remove(text(world, key, keyLength));
        return OK;
      }),
  };
}

function metricCalls(world: World) {
  const names: string[] = [];
  return {
    proxy_define_metric: (kind = 0, name = 0, length = 0, idOut = 0) => {
      if (kind !== COUNTER) return BAD_ARGUMENT;
      const counter = text(world, name, length);
      if (!names.includes(counter)) names.push(counter);
      if (!world.counters.has(counter)) world.counters.set(counter, 0n);
      world.memory.writeU32(idOut, names.indexOf(counter) * METRIC_ID_STEP);
      return OK;
    },
    proxy_increment_metric: (id = 0, delta: number | bigint = 0) => {
      const counter = names[(id >>> 0) / METRIC_ID_STEP];
      if (counter === undefined) return NOT_FOUND;
      if (BigInt(delta) <= 0n) return BAD_ARGUMENT;
      world.counters.set(counter, (world.counters.get(counter) ?? 0n) + BigInt(delta));
      return OK;
    },
  };
}
