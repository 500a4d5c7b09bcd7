import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
