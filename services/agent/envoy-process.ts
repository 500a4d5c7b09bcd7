import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WeftError } from "@weft/core/error";
import type { Logger } from "@weft/core/runtime";
import { envoyStdout } from "./envoy-stdout.ts";
import { pause } from "./pause.ts";

export interface EnvoyOptions {
  /** Path of the program. */
  readonly program: string;
  /** Private to the agent: holds the bootstrap, the admin's address and the process's number. */
  readonly folder: string;
  /** In JSON. */
  readonly bootstrap: string;
  /** Worker threads. */
  readonly concurrency: number;
  /** How long connections on a replaced listener may go on. */
  readonly drainSeconds: number;
  readonly log: Logger;
  /** Hears each line of Envoy's log as `THREAD LEVEL COMPONENT JSON`, at any rate; `log` does not. */
  readonly onLine?: (line: string) => void;
  /** The least of what plugins say; `warning`, as of Envoy itself, if not named. */
  readonly wasmLogLevel?: "trace" | "debug" | "info" | "warning" | "error" | "critical";
}

/** One run of Envoy. */
export interface EnvoyProcess {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:15000` */
  readonly adminUrl: string;
  /** Settles when it has ended, with how. */
  readonly exited: Promise<string>;
}

/** Envoy's admin page is up within 0.1 s; a busy machine needs more. */
const ADMIN_MS_MAX = 30_000;
const ADMIN_POLL_MS = 20;

/** Lines of Envoy's log that are passed on in a second: a broken plugin writes one per request. */
const LINES_PER_SECOND_MAX = 50;

/** How long a process may take to end when asked, before it is killed. */
const TERM_MS_MAX = 2_000;

/** A killed process is gone in milliseconds. */
const KILL_MS_MAX = 5_000;
const KILL_POLL_MS = 20;

const bootstrapPath = (folder: string): string => join(folder, "envoy.json");
const addressPath = (folder: string): string => join(folder, "envoy.address");
const pidPath = (folder: string): string => join(folder, "envoy.pid");

/**
 * Starts Envoy and answers once its admin page is up.
 *
 * @throws WeftError missing `agent.no_envoy`; unavailable `agent.envoy_failed` if it ends before.
 */
export async function launchEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const { program, folder, log } = options;
  await endStale(folder, log);
  writeFileSync(bootstrapPath(folder), options.bootstrap, { mode: 0o600 });
  rmSync(addressPath(folder), { force: true });
  const [command, args] = boundToParent(program, argumentsOf(options));
  const stdout = await envoyStdout(folder, log);
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ["ignore", stdout.stdio, "pipe"],
    // A terminal's Ctrl-C is the agent's to hear: Envoy would end before it has drained.
    detached: true,
  });
  stdout.release();
  const last = passOn(child, options);
  const exited = new Promise<string>((done) => {
    child.once("error", (error) => done(error.message));
    child.once("close", (code, signal) => done(signal ?? `exit ${code}`));
  });
  if (child.pid === undefined) {
    throw new WeftError("missing", "agent.no_envoy", `${program} cannot run: ${await exited}`);
  }
  writeFileSync(pidPath(folder), `${child.pid}\n`, { mode: 0o600 });
  endWithProcess(child);
  void exited.then(() => rmSync(pidPath(folder), { force: true }));
  const address = await findAddress(child, addressPath(folder));
  if (address !== undefined) return { child, adminUrl: `http://${address}`, exited };
  child.kill("SIGKILL");
  const how = await exited;
  const message = `${program} ends with ${how} before it serves: ${last() || "it says nothing"}`;
  throw new WeftError("unavailable", "agent.envoy_failed", message);
}

/** Ends an Envoy that does not end by itself. */
export async function endEnvoy({ child, exited }: EnvoyProcess): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), TERM_MS_MAX);
  await exited;
  clearTimeout(timer);
}

function argumentsOf(options: EnvoyOptions): readonly string[] {
  const { folder, concurrency, drainSeconds, onLine, wasmLogLevel = "warning" } = options;
  return [
    ...["--config-path", bootstrapPath(folder)],
    ...["--admin-address-path", addressPath(folder)],
    // Shared memory is of one Envoy per machine; ours are many, and are never restarted hot.
    "--disable-hot-restart",
    ...["--concurrency", String(concurrency)],
    ...["--drain-time-s", String(drainSeconds)],
    // Connections are told at once, rather than one after another over the drain time.
    ...["--drain-strategy", "immediate"],
    ...["--log-level", "warning"],
    ...["--component-log-level", `wasm:${wasmLogLevel}`],
    ...["--log-format", onLine === undefined ? "%l %n %v" : "%t %l %n %j"],
  ];
}

/** On Linux the kernel ends Envoy when its agent is killed, if util-linux is there to ask for it. */
function boundToParent(
  program: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux" || !isRunnable(setpriv) || !isRunnable(program)) {
    return [program, args];
  }
  return [setpriv, ["--pdeathsig", "TERM", "--", program, ...args]];
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run
  }
}

/** Where the admin page is; undefined if the process ends before, or takes too long. */
async function findAddress(child: ChildProcess, path: string): Promise<string | undefined> {
  const deadline = performance.now() + ADMIN_MS_MAX;
  const ended = new AbortController();
  child.once("close", () => ended.abort());
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const address = readIfThere(path);
    if (/:\d+$/.test(address)) return address;
    await pause(ADMIN_POLL_MS, ended.signal);
  }
  return undefined;
}

const children = new Set<ChildProcess>();

/** Kills a child when this process ends: an orphan would keep the ports from the next start. */
function endWithProcess(child: ChildProcess): void {
  if (children.size === 0) process.on("exit", killAll);
  children.add(child);
  child.once("close", () => {
    children.delete(child);
    if (children.size === 0) process.removeListener("exit", killAll);
  });
}

function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

/** Passes Envoy's log on, line by line and within a rate; answers the last line for an error. */
function passOn(child: ChildProcess, { log, onLine }: EnvoyOptions): () => string {
  const envoyLog = log.child({ process: "envoy" });
  let last = "";
  let [second, lines, dropped] = [0, 0, 0];
  if (child.stderr === null) return () => last;
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line === "") return;
    last = line;
    if (onLine !== undefined) return onLine(line);
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) {
      if (dropped > 0) envoyLog.warn({ dropped }, "lines of envoy were dropped");
      [second, lines, dropped] = [now, 0, 0];
    }
    lines += 1;
    if (lines > LINES_PER_SECOND_MAX) dropped += 1;
    else if (/^(error|critical) /.test(line)) envoyLog.error({}, line);
    else envoyLog.warn({}, line);
  });
  return () => last;
}

/** Ends the Envoy that an agent left behind in this folder when it was killed. */
async function endStale(folder: string, log: Logger): Promise<void> {
  const pid = Number(readIfThere(pidPath(folder)));
  if (!Number.isInteger(pid) || pid < 2 || !isOurs(pid, folder)) return;
  log.warn({ pid }, "an envoy was left behind; it is ended");
  process.kill(pid, "SIGKILL");
  const deadline = performance.now() + KILL_MS_MAX;
  while (isOurs(pid, folder)) {
    if (performance.now() > deadline) {
      const message = `the envoy with pid ${pid} of ${folder} does not end`;
      throw new WeftError("unavailable", "agent.envoy_failed", message);
    }
    await pause(KILL_POLL_MS, new AbortController().signal);
  }
}

/** Whether a process was started with our bootstrap: numbers of processes are used again. */
function isOurs(pid: number, folder: string): boolean {
  return readIfThere(`/proc/${pid}/cmdline`).split("\0").includes(bootstrapPath(folder));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return ""; // not written yet, or the process is gone
  }
}
