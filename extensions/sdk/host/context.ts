import type { Header, HeaderMap } from "./header-map.ts";
import type { Property } from "./properties.ts";

/** What a plugin is started with. */
export interface Plugin {
  readonly name: string;
  readonly rootId: string;
  readonly configuration: Uint8Array;
  /** Whether pausing on headers lets the body through to the plugin. */
  readonly allowsHeadersStop?: boolean;
}

/** The bytes behind a buffer that hostcalls may see. */
export interface GuestBuffer {
  readonly read: () => Uint8Array;
  /** Absent where the plugin may only read. */
  readonly write?: (bytes: Uint8Array) => void;
}

export interface LocalResponse {
  readonly status: number;
  readonly details: string;
  readonly body: Uint8Array;
  readonly headers: readonly Header[];
  /** -1 for none. */
  readonly grpcStatus: number;
}

/**
 * What a plugin may ask of the stream behind a context; it is done when the callback has ended.
 * Directions are 0 request, 1 response, 2 downstream, 3 upstream: those it does not have are let be.
 */
export interface StreamControl {
  resume(direction: number): void;
  reset(direction: number): void;
  /** Takes the request from the plugin's sight, at once. Absent on TCP. */
  forgetRequest?(): void;
  /** Absent on TCP. */
  respond?(response: LocalResponse): void;
  /** Whether properties under this name are the stream's. */
  hasProperties(name: string): boolean;
  /** A property at a path that begins with such a name. */
  property(path: readonly string[]): Property | undefined;
}

/** A root (plugin) context or that of one stream. */
export interface Context {
  readonly id: number;
  /** Itself, for a root. */
  readonly root: Context;
  readonly plugin: Plugin;
  /** The maps and buffers there are now, by the ABI's numbers. */
  readonly maps: Map<number, HeaderMap>;
  readonly buffers: Map<number, GuestBuffer>;
  /** Properties that its plugin has set. */
  readonly filterState: Map<string, Property>;
  stream: StreamControl | null;
  /** While it logs, all maps are there to be read only. */
  isLogging: boolean;
  /** What `proxy_get_status` answers. */
  status: readonly [code: number, message: string];
  /** Whether it has put off its end. */
  isDonePending: boolean;
  onDone: () => void;
  stopTicks: () => void;
}

export function createContext(id: number, parent: Context | Plugin): Context {
  const isRoot = !("plugin" in parent);
  const context: Omit<Context, "root"> & { root: Context | null } = {
    id,
    root: isRoot ? null : parent.root,
    plugin: isRoot ? parent : parent.plugin,
    maps: new Map(),
    buffers: new Map(),
    filterState: new Map(),
    stream: null,
    isLogging: false,
    status: [0, ""],
    isDonePending: false,
    onDone: () => {},
    stopTicks: () => {},
  };
  context.root ??= context as Context;
  return context as Context;
}
