import { randomUUID } from "node:crypto";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { type ControlOptions, type ControlRole, startControl } from "@weft/control/main";
import {
  type CaLog,
  connectNats,
  createNatsBlobs,
  type Journal,
  openCaLog,
  openConfigLog,
} from "@weft/core/journal";
import {
  createMonitor,
  type Logger,
  type NatsServer,
  silentLogger,
  systemClock,
} from "@weft/core/runtime";
import { ControlService } from "@weft/proto/weft/control/v1/control_pb.ts";
import { startNats } from "./nats.ts";

/** A control role on a real nats-server, and a client of its API. */
export interface ControlWorld extends AsyncDisposable {
  readonly mesh: string;
  readonly server: NatsServer;
  readonly nats: NatsConnection;
  readonly journal: Journal;
  readonly caLog: CaLog;
  readonly role: ControlRole;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly api: Client<typeof ControlService>;
  /** Another replica on the same log. */
  startReplica(options?: Partial<ControlOptions>): Promise<ControlRole>;
}

export async function startControlWorld({
  log = silentLogger,
}: {
  readonly log?: Logger;
} = {}): Promise<ControlWorld> {
  await using starting = new AsyncDisposableStack();
  const mesh = `mesh-${randomUUID()}`;
  const server = starting.use(await startNats());
  const nats = await connectNats(server.url, { name: "control-test" });
  starting.defer(() => nats.close());
  const journal = await openConfigLog(nats, mesh);
  const caLog = await openCaLog(nats, mesh);
  const blobs = await createNatsBlobs(nats);
  const start = (options: Partial<ControlOptions> = {}): Promise<ControlRole> =>
    startControl(
      { mesh, replica: "a", nats, clock: systemClock, log, monitor: createMonitor() },
      {
        journal,
        blobs,
        authority: caLog.authority,
        trustDomain: "cluster.local",
        host: "127.0.0.1",
        port: 0,
        ...options,
      },
    );
  const role = starting.use(await start());
  const url = `http://${role.address}`;
  const held = starting.move();
  return {
    mesh,
    server,
    nats,
    journal,
    caLog,
    role,
    url,
    api: connectTo(url),
    startReplica: async (options) => held.use(await start(options)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** A client over HTTP/1.1, or over HTTP/2 without TLS. */
export function connectTo(
  baseUrl: string,
  httpVersion: "1.1" | "2" = "1.1",
): Client<typeof ControlService> {
  return createClient(ControlService, createConnectTransport({ baseUrl, httpVersion }));
}
