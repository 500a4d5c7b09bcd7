import { WeftError } from "@weft/core/error";
import { findProgram } from "../programs.ts";
import type { DevSettings } from "./dev-settings.ts";
import { type Served, startEcho } from "./echo.ts";
import { type Plugin, startWorkshopEnvoy, type WorkshopEnvoy } from "./envoy.ts";
import type { EnvoyLevel } from "./envoy-log.ts";
import type { BuiltModule } from "./folder.ts";
import { kindOf } from "./module-kind.ts";
import { refusalError } from "./refusal.ts";

export interface DevEnvoyOptions {
  /** 0 takes a free one, and keeps it. */
  readonly port: number;
  /** The same of the admin page. */
  readonly adminPort: number;
  readonly workers: number;
  readonly logLevel: EnvoyLevel;
  /** Hears what the plugin says, and what Envoy says about it; `times` in a row. */
  readonly onLine: (level: EnvoyLevel, message: string, times: number) => void;
}

/** The Envoy of an author: it begins with the first plugin, and lasts as long as it can. */
export interface DevEnvoy extends AsyncDisposable {
  /** Undefined before there was a plugin to begin with. */
  readonly running: { readonly url: string; readonly adminUrl: string } | undefined;
  /**
   * Has a module serve under these settings; false if it does already.
   *
   * @throws what says why Envoy refuses it; the one before goes on.
   */
  serve(built: BuiltModule, settings: DevSettings): Promise<boolean>;
  /** Settles if Envoy ends by itself. */
  readonly died: Promise<WeftError>;
}

interface Running {
  readonly envoy: WorkshopEnvoy;
  readonly url: string;
  readonly adminUrl: string;
  /** What only another Envoy could change. */
  readonly surroundings: string;
  readonly stack: AsyncDisposableStack;
}

export function createDevEnvoy(options: DevEnvoyOptions): DevEnvoy {
  const died = Promise.withResolvers<WeftError>();
  const log = createLog(options);
  let { port, adminPort } = options;
  let running: Running | undefined;
  /** What serves, with its settings. */
  let live = "";

  async function start(plugin: Plugin, settings: DevSettings): Promise<Running> {
    const stack = new AsyncDisposableStack();
    try {
      const { kind } = kindOf(plugin.wasm);
      const { upstream = stack.use<Served>(await startEcho(kind)), clusters } = settings;
      const surroundings = surroundingsOf(plugin, settings);
      const envoy = await startWorkshopEnvoy({
        ...options,
        isRecordable: true,
        program: await findProgram("envoy"),
        kind,
        port,
        adminPort,
        upstream,
        clusters,
        plugin,
        onPluginLine: log.hear,
        onEnvoyLine: ({ component, level, text }) => {
          const isTrouble = level === "error" || level === "critical";
          if (isTrouble || (component === "wasm" && level === "warning")) log.hear(level, text);
        },
      });
      stack.use(envoy);
      port = envoy.port;
      adminPort = Number(new URL(envoy.adminUrl).port);
      void envoy.exited.then((how) => {
        if (stack.disposed) return;
        const message = `Envoy ended with ${how}`;
        died.resolve(new WeftError("unavailable", "agent.envoy_failed", message));
      });
      const url = `${kind === "http" ? "http" : "tcp"}://127.0.0.1:${port}`;
      return { envoy, url, adminUrl: envoy.adminUrl, surroundings, stack };
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  async function put(plugin: Plugin, settings: DevSettings): Promise<void> {
    const isOther =
      running !== undefined && running.surroundings !== surroundingsOf(plugin, settings);
    if (isOther) {
      await running?.stack.disposeAsync();
      running = undefined;
    }
    log.hold();
    const starting = running === undefined;
    running ??= await start(plugin, settings);
    const verdict = starting ? running.envoy.first : await running.envoy.swap(plugin);
    log.release(verdict.accepted ? [] : verdict.causes);
    if (!verdict.accepted) throw refusalError(verdict.causes, settings.configuration);
  }

  return {
    get running() {
      return running;
    },
    died: died.promise,
    async serve(built, settings) {
      const { name, configuration, failurePolicy } = settings;
      const plugin: Plugin = {
        name,
        wasm: built.wasm,
        configuration: configuration.text,
        failurePolicy,
        rootId: rootIdOf(built.wasm, settings),
      };
      const { wasm: _, ...rest } = plugin;
      const next = JSON.stringify([built.sha256, rest, surroundingsOf(plugin, settings)]);
      if (next === live) return false;
      await put(plugin, settings);
      live = next;
      return true;
    },
    async [Symbol.asyncDispose]() {
      await running?.stack.disposeAsync();
    },
  };
}

function surroundingsOf({ wasm }: Plugin, { upstream, clusters }: DevSettings): string {
  return JSON.stringify([kindOf(wasm).kind, upstream, clusters]);
}

/** The root id that is named, or the only one there is. */
function rootIdOf(wasm: Uint8Array, { rootId }: DevSettings): string {
  const { roots } = kindOf(wasm);
  if (rootId !== undefined && (roots.length === 0 || roots.includes(rootId))) return rootId;
  const [first = ""] = roots;
  if (rootId === undefined && roots.length <= 1) return first;
  const what = rootId === undefined ? "the module has several root ids" : `no root id is ${rootId}`;
  const message = `${what}; name one with --root-id or rootId: ${roots.join(", ")}`;
  throw new WeftError("invalid", "plugin.bad_setting", message);
}

interface Log {
  readonly hear: (level: EnvoyLevel, message: string) => void;
  /** Holds back what is said while a plugin is put in: each of its VMs says the same. */
  hold(): void;
  /** Tells it, but for what is told elsewhere. */
  release(told: readonly string[]): void;
}

/** What Envoy says of every refusal: the refusal itself is told with its reason. */
const REFUSED = /^(?:Wasm VM failed |Plugin .* failed to load$|Filesystem config update )/;

function createLog({ onLine }: DevEnvoyOptions): Log {
  let held: { level: EnvoyLevel; message: string; times: number }[] | undefined;
  return {
    hear(level, message) {
      if (held === undefined) return onLine(level, message, 1);
      const same = held.find((each) => each.level === level && each.message === message);
      if (same === undefined) held.push({ level, message, times: 1 });
      else same.times += 1;
    },
    hold() {
      held = [];
    },
    release(told) {
      for (const { level, message, times } of held ?? []) {
        const isTold = told.includes(message) || (told.length > 0 && REFUSED.test(message));
        if (!isTold) onLine(level, message, times);
      }
      held = undefined;
    },
  };
}
