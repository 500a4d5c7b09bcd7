import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type NatsServer, silentLogger, startNatsServer } from "@weft/core/runtime";
import { installTools } from "../../infra/tools.ts";

/** A real nats-server for tests, on a free port of 127.0.0.1, with a store that ends with it. */
export async function startNats(options: { readonly restart?: boolean } = {}): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), "weft-nats-"));
  const program = installTools().natsServer;
  const server = await startNatsServer({ ...options, program, folder, log: silentLogger });
  return {
    url: server.url,
    port: server.port,
    get pid() {
      return server.pid;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How long a system without /proc gets to stop a process that it has been told to. */
const STOP_MS = 100;

/**
 * Has a server stand still, and answers once it does: a thread that runs may still answer what
 * comes just behind the signal.
 */
export async function standStill({ pid = 0 }: NatsServer): Promise<void> {
  process.kill(pid, "SIGSTOP");
  if (!existsSync(`/proc/${pid}`)) return await setTimeout(STOP_MS);
  const isStopped = () =>
    globSync(`/proc/${pid}/task/*/stat`).every((path) => /\) T /.test(readFileSync(path, "utf8")));
  while (!isStopped()) await setTimeout(1);
}
