import { join, resolve } from "node:path";
import { createLogger, startNatsServer } from "@weft/core/runtime";
import type { Command } from "commander";
import { addHelpSections } from "../options.ts";
import { findProgram } from "../programs.ts";
import { serve } from "../serve.ts";
import { stopSignal } from "../stop-signal.ts";
import { addServeOptions, holdUntilStopped, serveOptions } from "./serve.ts";

export function registerUp(program: Command): void {
  const command = program
    .command("up")
    .description("run a whole control plane on this machine: nats-server and every role")
    .option("--nats-port <port>", "of the nats-server it starts; 0 takes a free one", "0");
  addServeOptions(command);
  addHelpSections(command, {
    examples: ["weft up", "weft up --data /var/lib/weft --api 127.0.0.1:9000"],
  });
  command.action(() => up(command));
}

async function up(command: Command): Promise<void> {
  const stopped = stopSignal();
  const { data, natsPort } = command.opts();
  await using nats = await startNatsServer({
    program: await findProgram("natsServer"),
    folder: join(resolve(data), "nats"),
    port: Number(natsPort),
    restart: true,
    log: createLogger("nats-server"),
  });
  const starting = serve(serveOptions(command, nats.url));
  await holdUntilStopped(command, { starting, stopped, nats: nats.url });
}
