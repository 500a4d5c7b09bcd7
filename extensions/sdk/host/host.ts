import { guestMemory } from "./guest-memory.ts";
import type { HeaderMap } from "./header-map.ts";
import { createImports, type World } from "./imports.ts";
import { createStream, type Enter, type Stream } from "./stream.ts";
import { Instance, type Memory, Module } from "./webassembly.ts";

export interface LogLine {
  readonly level: number;
  readonly message: string;
}

/** A VM that runs one module. */
export interface Host {
  readonly logs: readonly LogLine[];
  readonly counters: ReadonlyMap<string, bigint>;
  /** Pages of 64 KiB the plugin holds. */
  readonly pages: number;
  /** Whether the plugin has trapped: a VM that did answers nothing any more. */
  readonly hasFailed: boolean;
  /** Starts a plugin with its configuration and answers its root id, or null if it refuses. */
  start(configuration: Uint8Array | string): number | null;
  openStream(root: number): Stream;
}

export interface HostOptions {
  /** What is said below this level is dropped: 0 trace to 5 critical. */
  readonly logLevel?: number;
}

const INFO = 2;

/** What the plugin is doing, as far as it limits the hostcalls it may make. */
type Phase = "initializing" | "allocating" | "running";

/** The only hostcall of these that is legal while the plugin starts or allocates. */
const ALWAYS_LEGAL = "proxy_log";

type Export = (...words: number[]) => number | undefined;

/** Loads a module, linked to ABI 0.2.1 as the SDK uses it, and runs its `_initialize`. */
export function createHost(wasm: Uint8Array, { logLevel = INFO }: HostOptions = {}): Host {
  const logs: LogLine[] = [];
  const counters = new Map<string, bigint>();
  const maps = new Map<number, HeaderMap>();
  let configuration: Uint8Array | null = null;
  let phase: Phase = "initializing";
  let hasFailed = false;
  let lastContext = 0;

  const enter: Enter = (name, ...words) => {
    if (hasFailed) throw new Error(`${name} is called in a VM that has trapped`);
    const entry = instance.exports[name] as Export | undefined;
    const said = logs.length;
    try {
      return entry?.(...words);
    } catch (cause) {
      hasFailed = true;
      throw new Error(`${name} trapped: ${logs.slice(said).at(-1)?.message ?? "without a word"}`, {
        cause,
      });
    }
  };

  const world: World = {
    get memory() {
      return memory;
    },
    allocate: (bytes) => {
      const before = phase;
      phase = "allocating";
      const address = (enter("malloc", bytes) ?? 0) >>> 0;
      phase = before;
      return address;
    },
    permit: (call) => {
      if (phase === "running" || call === ALWAYS_LEGAL) return;
      throw new Error(`${call} is not allowed while the plugin is ${phase}`);
    },
    log: (level, message) => logs.push({ level, message }),
    logLevel,
    get configuration() {
      return configuration;
    },
    maps,
    counters,
  };

  const instance = new Instance(new Module(wasm), { env: createImports(world) });
  const { memory: exported } = instance.exports;
  const memory = guestMemory(exported as Memory);
  enter("_initialize");
  phase = "running";

  return {
    logs,
    counters,
    get pages() {
      return memory.pages;
    },
    get hasFailed() {
      return hasFailed;
    },
    start: (bytes) => {
      const root = ++lastContext;
      configuration = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      enter("proxy_on_context_create", root, 0);
      enter("proxy_on_vm_start", root, 0);
      const isAccepted = enter("proxy_on_configure", root, configuration.byteLength) !== 0;
      configuration = null;
      return isAccepted ? root : null;
    },
    openStream: (root) => {
      const context = ++lastContext;
      enter("proxy_on_context_create", context, root);
      return createStream(context, enter, maps);
    },
  };
}
