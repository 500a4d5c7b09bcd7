import type { Logger } from "@weft/core/runtime";
import { askAdmin, countActive, isLive } from "./admin.ts";
import { type EnvoyOptions, type EnvoyProcess, endEnvoy, launchEnvoy } from "./envoy-process.ts";
import { type Backoff, createBackoff, pause } from "./pause.ts";

export interface SuperviseOptions extends EnvoyOptions {
  /** How long a stop waits for requests under way; 0 cuts them. */
  readonly stopDrainMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** An Envoy that is started again when it ends. Disposing drains and stops it. */
export interface Envoy extends AsyncDisposable {
  /** `http://127.0.0.1:15000`; with port 0, another one after a restart. */
  readonly adminUrl: string;
  /** Of the run of now. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** Settles once it serves for the first time; rejects if it is stopped before. */
  readonly ready: Promise<void>;
}

/** Waits before a restart: short at first, and long for an Envoy that cannot run. */
const RESTART_MS = 100;
const RESTART_MS_MAX = 10_000;

/** One that ran this long is restarted at once again. */
const STEADY_MS = 30_000;

const READY_POLL_MS = 50;
const DRAIN_POLL_MS = 100;

/** How long Envoy may take to end when its admin page is asked to. */
const QUIT_MS_MAX = 2_000;

/**
 * Starts Envoy and keeps it running.
 *
 * @throws what `launchEnvoy` throws, if the first start does not come up.
 */
export async function superviseEnvoy(options: SuperviseOptions): Promise<Envoy> {
  const { log, stopDrainMs } = options;
  const stopping = new AbortController();
  let running: EnvoyProcess | undefined = await launchEnvoy(options);
  let adminUrl = running.adminUrl;
  let restarts = 0;

  async function keepRunning(): Promise<void> {
    const backoff = createBackoff({ ...options, minMs: RESTART_MS, maxMs: RESTART_MS_MAX });
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const how = await running?.exited;
      if (stopping.signal.aborted) return;
      running = undefined;
      if (performance.now() - startedAt > STEADY_MS) backoff.reset();
      log.error({ how }, "envoy ended by itself");
      running = await launchAgain(options, backoff, stopping.signal);
      if (running === undefined) return;
      adminUrl = running.adminUrl;
      restarts += 1;
    }
  }

  const kept = keepRunning();
  const ready = waitUntilLive(() => adminUrl, stopping.signal);
  // Whoever does not ask is not told.
  ready.catch(() => {});
  return {
    get adminUrl() {
      return adminUrl;
    },
    get pid() {
      return running?.child.pid;
    },
    get restarts() {
      return restarts;
    },
    ready,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      if (running !== undefined) await stop(running, stopDrainMs, log);
      await kept;
      // A restart may have been under way.
      if (running !== undefined) await endEnvoy(running);
    },
  };
}

async function launchAgain(
  options: EnvoyOptions,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<EnvoyProcess | undefined> {
  while (!signal.aborted) {
    await pause(backoff.nextMs(), signal);
    if (signal.aborted) break;
    try {
      const again = await launchEnvoy(options);
      options.log.info({ pid: again.child.pid }, "envoy runs again");
      return again;
    } catch (err) {
      options.log.error({ err }, "envoy does not start");
    }
  }
  return undefined;
}

async function waitUntilLive(adminUrl: () => string, signal: AbortSignal): Promise<void> {
  while (!(await isLive(adminUrl()))) {
    if (signal.aborted) throw new Error("the agent was stopped before its envoy served");
    await pause(READY_POLL_MS, signal);
  }
}

/** Clients are told to go elsewhere, requests under way may end, and then it ends. */
async function stop(envoy: EnvoyProcess, drainMs: number, log: Logger): Promise<void> {
  const { adminUrl, exited } = envoy;
  const ended = new AbortController();
  void exited.then(() => ended.abort());
  try {
    if (drainMs > 0) {
      await askAdmin(`${adminUrl}/drain_listeners?graceful&skip_exit`, "POST");
      await drain(adminUrl, drainMs, ended.signal);
    }
    await askAdmin(`${adminUrl}/quitquitquit`, "POST");
    await pause(QUIT_MS_MAX, ended.signal);
  } catch (error) {
    log.debug({ why: String(error) }, "envoy's admin page does not answer; it is ended");
  }
  await endEnvoy(envoy);
}

async function drain(adminUrl: string, drainMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + drainMs;
  while (!signal.aborted && performance.now() < deadline) {
    if ((await countActive(adminUrl)) === 0) return;
    await pause(DRAIN_POLL_MS, signal);
  }
}
