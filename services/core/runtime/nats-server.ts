import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { WeftError } from "../error.ts";
import type { Logger } from "./log.ts";

/** How long it may take to listen; reading back a large store takes most of it. */
const START_MS_MAX = 60_000;
const START_POLL_MS = 10;
/** Each look at an orphan starts `ps`. */
const ORPHAN_POLL_MS = 50;
/** How long it may take to put everything on disk and end, before it is killed. */
const STOP_MS_MAX = 10_000;
/** Waits before a restart: short at first, and long for a server that cannot run. */
const RESTART_MS = 100;
const RESTART_MS_MAX = 5_000;
/** A server that ran this long is restarted at once again. */
const STEADY_MS = 10_000;

export interface NatsServerOptions {
  /** Path of nats-server. */
  readonly program: string;
  /** Holds the store, the configuration and the server's own log; made if absent. */
  readonly folder: string;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  /** Whether a server that ends by itself is started again, on the same port. */
  readonly restart?: boolean;
  readonly log: Logger;
}

/** A nats-server child with JetStream on disk. Disposing of it stops it; the store stays. */
export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT`, the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** Of the child that runs now; undefined between two. */
  readonly pid: number | undefined;
}

/**
 * Starts nats-server and answers once it listens. It writes every message to disk before it
 * acknowledges it.
 *
 * @throws WeftError unavailable `log.unavailable` if it ends, does not listen in time, or if another
 * one uses the folder.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { log } = options;
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await endOrphan(folder, log);
  const stopping = new AbortController();
  let running: Running | undefined = await launch(options, folder, options.port ?? 0);
  const { port } = running;

  async function keepRunning(): Promise<void> {
    let [waitMs, startedAt] = [RESTART_MS, performance.now()];
    for (;;) {
      await running?.exited;
      running = undefined;
      if (stopping.signal.aborted) return;
      log.error({ folder }, "nats-server ended by itself");
      if (options.restart !== true) return;
      waitMs = performance.now() - startedAt > STEADY_MS ? RESTART_MS : waitMs * 2;
      await delay(Math.min(waitMs, RESTART_MS_MAX), undefined, { signal: stopping.signal }).catch(
        () => {}, // stopped meanwhile
      );
      if (stopping.signal.aborted) return;
      startedAt = performance.now();
      try {
        running = await launch(options, folder, port);
        log.info({ port }, "nats-server runs again");
      } catch (err) {
        log.error({ err }, "nats-server does not start");
      }
    }
  }

  const kept = keepRunning();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return running?.child.pid;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      if (running !== undefined) await stop(running);
      await kept;
      // A restart may have been under way.
      if (running !== undefined) await stop(running);
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly exited: Promise<void>;
}

async function launch(
  { program, restart = false }: NatsServerOptions,
  folder: string,
  port: number,
): Promise<Running> {
  const ports = join(folder, "ports");
  rmSync(ports, { recursive: true, force: true });
  mkdirSync(ports, { mode: 0o700 });
  const config = configPath(folder);
  writeFileSync(config, configOf(folder, port), { mode: 0o600 });
  const output = openSync(logPath(folder), "a", 0o600);
  const child = spawn(program, ["-c", config, "--ports_file_dir", ports], {
    stdio: ["ignore", output, output],
    // A terminal's interrupt goes to its whole group; the log has to outlast its writers.
    detached: restart,
  });
  closeSync(output);
  let failure = "";
  child.once("error", (error) => {
    failure = error.message;
  });
  const exited = new Promise<void>((done) => {
    child.once("close", () => done());
  });
  // An orphan would keep the store from the next start.
  const kill = (): void => void child.kill("SIGTERM");
  process.once("exit", kill);
  void exited.then(() => process.removeListener("exit", kill));
  writeFileSync(pidPath(folder), `${child.pid} ${process.pid}\n`, { mode: 0o600 });
  const found = await findPort(child, ports);
  if (found !== undefined) return { child, port: found, exited };
  child.kill("SIGKILL");
  await exited;
  const why = failure || lastLine(logPath(folder)) || `it did not listen in ${START_MS_MAX} ms`;
  throw new WeftError(
    "unavailable",
    "log.unavailable",
    `nats-server does not run in ${folder}: ${why}`,
  );
}

/** The port that it says it listens on; undefined if it ends before, or takes too long. */
async function findPort(child: ChildProcess, folder: string): Promise<number | undefined> {
  const deadline = performance.now() + START_MS_MAX;
  let failed = false;
  child.once("error", () => {
    failed = true;
  });
  while (performance.now() < deadline && !failed && child.exitCode === null) {
    if (child.signalCode !== null) return undefined;
    const [file] = globSync("*.ports", { cwd: folder });
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
    // The file is not written at once.
    if (text.trimEnd().endsWith("}")) {
      const { nats } = JSON.parse(text) as { readonly nats: readonly string[] };
      return Number(new URL(nats[0] ?? "").port);
    }
    await delay(START_POLL_MS);
  }
  return undefined;
}

async function stop({ child, exited }: Running): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}

/** `sync_interval: always`: by default an acknowledged message may be lost with the power. */
function configOf(folder: string, port: number): string {
  return [
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    "max_payload: 1MB",
    `jetstream { store_dir: ${JSON.stringify(join(folder, "store"))}, sync_interval: always }`,
    "",
  ].join("\n");
}

/**
 * Two servers would ruin one store, and nats-server does not lock it. One whose owner was killed is
 * ended first: it holds what was acknowledged, and nobody else will.
 */
async function endOrphan(folder: string, log: Logger): Promise<void> {
  const [pid = Number.NaN, owner = Number.NaN] = readText(pidPath(folder)).split(" ").map(Number);
  const isOurs = (): boolean => commandOf(pid).includes(configPath(folder));
  if (!isOurs()) return;
  if (commandOf(owner) !== "") {
    const message = `${folder} is in use by process ${owner} and its nats-server; end that one first`;
    throw new WeftError("unavailable", "log.unavailable", message);
  }
  log.warn({ pid, folder }, "ending the nats-server of a process that was killed");
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + STOP_MS_MAX;
  while (isOurs()) {
    if (performance.now() > deadline) process.kill(pid, "SIGKILL");
    await delay(ORPHAN_POLL_MS);
  }
}

/** The command line of a process; empty if there is none. */
function commandOf(pid: number): string {
  if (!Number.isInteger(pid)) return "";
  try {
    if (process.platform === "linux") {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    }
    return execFileSync("ps", ["-o", "args=", "-p", `${pid}`], { encoding: "utf8" });
  } catch {
    return ""; // no such process
  }
}

function lastLine(path: string): string {
  return readText(path).trimEnd().split("\n").at(-1) ?? "";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not written yet
  }
}

const configPath = (folder: string): string => join(folder, "nats.conf");
const logPath = (folder: string): string => join(folder, "nats-server.log");
const pidPath = (folder: string): string => join(folder, "nats-server.pid");
