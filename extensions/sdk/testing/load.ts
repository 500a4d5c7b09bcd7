import {
  type Connection,
  createHost,
  type Host,
  type HostOptions,
  type PluginNames,
  type Properties,
  type Stream,
  type StreamOptions,
} from "../host/index.ts";
import { buildOnce } from "./build-once.ts";
import { coveringHosts } from "./coverage.ts";

/** A plugin that was built, to be started as often as tests like. */
export interface LoadedPlugin {
  /** The release, also where other code is started to count what runs. */
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
  /**
   * Starts it in a host of its own. A configuration that is no text or bytes is passed as JSON.
   * Throws what the plugin said if it refuses.
   */
  start(configuration?: unknown, options?: StartOptions): StartedPlugin;
  /** What it says of a configuration that it refuses; throws if it takes it. */
  refusal(configuration: unknown, options?: StartOptions): string;
}

export interface StartOptions extends HostOptions, PluginNames {
  /** Called before the plugin starts: the time to script upstreams and inject faults. */
  readonly prepare?: (host: Host) => void;
}

/** A plugin with its configuration, in a host. */
export interface StartedPlugin {
  readonly host: Host;
  readonly root: number;
  /** Opens an HTTP stream through it. */
  open(options?: StreamOptions): Stream;
  /** Opens a TCP connection through it. */
  connect(properties?: Properties): Connection;
}

/** Builds the plugin in a folder. */
export async function load(folder: string): Promise<LoadedPlugin> {
  const { wasm, sourceMap } = await buildOnce(folder);
  const cover = await coveringHosts(folder);

  const attempt = (configuration: unknown, options: StartOptions): [Host, number | null] => {
    // Fuel is told of a release: code to be covered takes more of it.
    const isMetered = options.meter === true || options.fuelMax !== undefined;
    const isCovered = cover !== null && !isMetered;
    const host = isCovered ? cover(options) : createHost(wasm, { sourceMap, ...options });
    options.prepare?.(host);
    return [host, host.start(asBytes(configuration), options)];
  };
  return {
    wasm,
    sourceMap,
    start: (configuration = "", options = {}) => {
      const [host, root] = attempt(configuration, options);
      if (root === null) throw new Error(`the plugin refuses: ${lastWord(host)}`);
      return {
        host,
        root,
        open: (streamOptions) => host.openStream(root, streamOptions),
        connect: (properties) => host.openConnection(root, properties),
      };
    },
    refusal: (configuration, options = {}) => {
      const [host, root] = attempt(configuration, options);
      if (root !== null) throw new Error("the plugin takes the configuration");
      return lastWord(host);
    },
  };
}

function asBytes(configuration: unknown): Uint8Array | string {
  const isRaw = typeof configuration === "string" || configuration instanceof Uint8Array;
  return isRaw ? configuration : JSON.stringify(configuration);
}

function lastWord({ logs }: Host): string {
  return logs.at(-1)?.message ?? "without a word";
}
