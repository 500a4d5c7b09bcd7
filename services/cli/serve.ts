import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type CaRole, servingTlsOptions, startCa } from "@weft/ca/main";
import { startControl } from "@weft/control/main";
import { WeftError } from "@weft/core/error";
import { connectNats, createNatsBlobs, openCaLog, openConfigLog } from "@weft/core/journal";
import {
  createLogger,
  createMonitor,
  dispatch,
  type GrpcRoutes,
  guardConnections,
  isLoopback,
  type RoleContext,
  serveMonitor,
  systemClock,
} from "@weft/core/runtime";
import { discoveryServerOptions } from "@weft/core/stream";
import { startXds } from "@weft/xds/main";
import { VERSION } from "./version.ts";

export const ROLES = ["control", "xds", "ca"] as const;
export type Role = (typeof ROLES)[number];

/** Where a replica is found: `HOST:PORT` to listen on, or, once it serves, where it does. */
export interface Doors {
  readonly api: string;
  /** mTLS. */
  readonly xds: string;
  /** Plaintext, on loopback only. */
  readonly xdsPlain: string;
  readonly monitor: string;
}

export interface ServeOptions extends Doors {
  readonly mesh: string;
  readonly roles: readonly Role[];
  /** `nats://HOST:PORT`, several separated by commas. */
  readonly nats: string;
  /** This machine's part of the mesh: the root of the CA lies in it. */
  readonly data: string;
  readonly trustDomain: string;
  readonly replica: string;
  /** Token that callers of the API must bring; needed beyond loopback. */
  readonly tokenFile: string | undefined;
}

/** One replica of a control plane, in this process. */
export interface Serving extends AsyncDisposable {
  readonly doors: Doors;
}

/** A TLS handshake takes two round trips; who needs longer holds a socket and its memory. */
const HANDSHAKE_MS_MAX = 10_000;

/** Streams of one connection: one of ADS, one for each type at most, and requests to the CA. */
const STREAMS_MAX = 100;

const doorOptions = {
  ...discoveryServerOptions,
  settings: { ...discoveryServerOptions.settings, maxConcurrentStreams: STREAMS_MAX },
};

/** Runs one replica until it is disposed of. @throws WeftError where a part cannot start */
export async function serve(options: ServeOptions): Promise<Serving> {
  const started = new AsyncDisposableStack();
  try {
    const doors = await open(options, started);
    return { doors, [Symbol.asyncDispose]: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function open(options: ServeOptions, started: AsyncDisposableStack): Promise<Doors> {
  const { mesh, replica, trustDomain, roles, data, tokenFile } = options;
  const log = createLogger(`weft ${replica}`);
  // Left last: the roles still say goodbye over the connections.
  const connections = started.use(new AsyncDisposableStack());
  const monitor = createMonitor();
  const health = { ...hostPort(options.monitor, "--monitor"), version: VERSION };
  const monitoring = started.use(await serveMonitor(monitor, health));
  const nats = await connectNats(options.nats, { name: `weft-${replica}` });
  started.defer(() => nats.close());
  const context: RoleContext = { mesh, replica, nats, clock: systemClock, log, monitor };
  const journal = await openConfigLog(nats, mesh);
  const { issued, authority } = await openCaLog(nats, mesh);
  const blobs = await createNatsBlobs(nats);
  const only = <T>(role: Role, start: () => Promise<T>): Promise<T> | undefined =>
    roles.includes(role) ? start() : undefined;

  const ca = await only("ca", async () =>
    started.use(
      await startCa(context, { issued, authority, trustDomain, dataFolder: join(data, "ca") }),
    ),
  );
  const control = await only("control", async () =>
    started.use(
      await startControl(context, {
        journal,
        blobs,
        authority,
        trustDomain,
        ...hostPort(options.api, "--api"),
        ...(tokenFile === undefined ? {} : { tokenFile }),
      }),
    ),
  );
  const xds = await only("xds", async () =>
    started.use(await startXds(context, { journal, blobs })),
  );
  const stacks = { started, connections };
  const plain = xds && (await openPlain(options.xdsPlain, xds.plaintextRoutes, stacks));
  const secure =
    ca &&
    (await openSecure(options.xds, { ca, routes: { ...xds?.tlsRoutes, ...ca.routes } }, stacks));
  log.info({ roles, mesh }, "serving");
  return {
    api: control === undefined ? "" : `http://${control.address}`,
    xds: secure ?? "",
    xdsPlain: plain ?? "",
    monitor: `http://${health.host}:${monitoring.port}`,
  };
}

/** What is undone in which order: `started` in reverse, and `connections` at its very end. */
interface Stacks {
  readonly started: AsyncDisposableStack;
  readonly connections: AsyncDisposableStack;
}

/** xDS without TLS, for whoever is on this machine. */
async function openPlain(door: string, routes: GrpcRoutes, stacks: Stacks): Promise<string> {
  const { host, port } = hostPort(door, "--xds-plain");
  if (!isLoopback(host)) {
    throw new WeftError(
      "invalid",
      "cli.usage",
      `--xds-plain ${door} is no loopback address: beyond this machine xDS needs mTLS`,
    );
  }
  return listen(createServer(doorOptions), { host, port, routes, stacks });
}

/** xDS and the CA over TLS, with the process's own certificate and each of its successors. */
async function openSecure(
  door: string,
  { ca, routes }: { readonly ca: CaRole; readonly routes: GrpcRoutes },
  stacks: Stacks,
): Promise<string> {
  const server = createSecureServer({
    ...doorOptions,
    ...servingTlsOptions(ca.serving.current()),
    handshakeTimeout: HANDSHAKE_MS_MAX,
  });
  stacks.started.defer(
    ca.serving.onRenew((identity) => server.setSecureContext(servingTlsOptions(identity))),
  );
  return listen(server, { ...hostPort(door, "--xds"), routes, stacks });
}

async function listen(
  server: Http2Server | Http2SecureServer,
  options: {
    readonly host: string;
    readonly port: number;
    readonly routes: GrpcRoutes;
    readonly stacks: Stacks;
  },
): Promise<string> {
  const { host, port, routes, stacks } = options;
  guardConnections(server);
  server.on("stream", (stream, headers) => dispatch(routes, stream, headers));
  // A client that breaks off a connection is no failure of ours.
  server.on("sessionError", () => {});
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, host, done);
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  let closed: Promise<unknown> = Promise.resolve();
  stacks.connections.defer(async () => {
    for (const session of sessions) session.destroy();
    await closed;
  });
  // First of all nobody new is let in.
  stacks.started.defer(() => {
    closed = new Promise((done) => server.close(done));
  });
  return `${host}:${(server.address() as AddressInfo).port}`;
}

function hostPort(door: string, flag: string): { readonly host: string; readonly port: number } {
  const [, host = "", digits = ""] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(door) ?? [];
  const port = Number(digits);
  if (host !== "" && port <= 65_535) return { host, port };
  throw new WeftError("invalid", "cli.usage", `${flag} ${door} is not HOST:PORT`);
}
