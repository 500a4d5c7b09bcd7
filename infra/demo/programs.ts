import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a program may take to say where it listens. */
const START_TIMEOUT_MS = 20_000;

/** How long a program may take to end once asked. */
const STOP_TIMEOUT_MS = 3_000;

export interface Program extends AsyncDisposable {
  /** The first line it printed. */
  readonly firstLine: string;
  readonly child: ChildProcess;
}

/** Starts a TypeScript program with this Node and waits for its first line on stdout. */
export async function startProgram(
  path: string,
  options: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Program> {
  const child = spawn(process.execPath, [path, ...(options.args ?? [])], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...options.env },
    // A terminal's Ctrl-C must reach us alone: we stop what we started, in order.
    detached: true,
  });
  const lines = createInterface({ input: child.stdout });
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  const ended = once(child, "exit", { signal: deadline }).then(() => {
    throw new Error(`${path} ended with ${child.exitCode ?? child.signalCode} before it was ready`);
  });
  const [firstLine] = (await Promise.race([once(lines, "line", { signal: deadline }), ended])) as [
    string,
  ];
  ended.catch(() => {}); // it was ready; how it ends later is for whoever stops it
  child.stdout.resume();
  return {
    firstLine,
    child,
    async [Symbol.asyncDispose]() {
      await stop(child);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** A bookinfo program, and the port of 127.0.0.1 it listens on. */
export async function startBookinfoProgram(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Program & { readonly port: number }> {
  const program = await startProgram(join(import.meta.dirname, "bookinfo", file), { env });
  return { ...program, port: Number(program.firstLine) };
}
