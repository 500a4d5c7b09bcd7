import { createClock, seededRandom, type VirtualClock } from "./clock.ts";
import { createMetricStore, type MetricStore } from "./metrics.ts";
import type { Properties } from "./properties.ts";
import { createShared, type Shared } from "./shared.ts";
import { LogLevel } from "./status.ts";
import { createUpstream, type ScriptedUpstream } from "./upstreams.ts";

export interface LogLine {
  readonly level: number;
  readonly message: string;
}

export type ForeignFunction = (argument: Uint8Array) => Uint8Array | undefined;

/** Forces what a hostcall answers. Calls count from 1 in each VM. */
export interface Fault {
  readonly call: string;
  /** Only this call of it; every one, unless told. */
  readonly nth?: number;
  readonly status: number;
}

/** All that the VMs of a proxy have in common. */
export interface World {
  readonly logs: LogLine[];
  /** What is said below this level is dropped: 0 trace to 5 critical. */
  readonly logLevel: number;
  readonly clock: VirtualClock;
  readonly random: (length: number) => Uint8Array;
  readonly metrics: MetricStore;
  readonly shared: Shared;
  readonly upstreams: Map<string, ScriptedUpstream>;
  readonly foreign: ReadonlyMap<string, ForeignFunction>;
  readonly environment: Readonly<Record<string, string>>;
  readonly properties: Properties;
  readonly faults: Fault[];
}

export interface WorldOptions {
  readonly logLevel?: number;
  readonly seed?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Properties that every stream has. */
  readonly properties?: Properties;
  readonly foreign?: Readonly<Record<string, ForeignFunction>>;
}

export function createWorld(options: WorldOptions = {}): World {
  return {
    logs: [],
    logLevel: options.logLevel ?? LogLevel.info,
    clock: createClock(),
    random: seededRandom(options.seed ?? 1),
    metrics: createMetricStore(),
    shared: createShared(),
    upstreams: new Map(),
    foreign: new Map(Object.entries(options.foreign ?? {})),
    environment: options.environment ?? {},
    properties: options.properties ?? {},
    faults: [],
  };
}

/** The upstream of a name, made when it is first spoken of. */
export function upstreamOf({ upstreams }: World, name: string): ScriptedUpstream {
  const upstream = upstreams.get(name) ?? createUpstream();
  upstreams.set(name, upstream);
  return upstream;
}
