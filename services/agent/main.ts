// The agent beside one Envoy: makes its key, gets and renews its certificate, runs it, stops it.

import { chmodSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Clock, isLoopback, type Logger } from "@weft/core/runtime";
import { isLive } from "./admin.ts";
import { type ProxyOptions, writeBootstrap } from "./bootstrap.ts";
import { type Identity, splitPem } from "./certificate.ts";
import { superviseEnvoy } from "./envoy.ts";
import { serveHealth } from "./health.ts";
import { createIdentityKeeper } from "./identity.ts";
import { serveSecrets } from "./sds.ts";

export interface AgentOptions extends ProxyOptions {
  /** `host:port` of the control plane's TLS door, for the CA and for xDS. */
  readonly server: string;
  /** `host:port` of an xDS door in plaintext, on loopback only; the TLS door if undefined. */
  readonly plaintextXds?: string;
  /** The mesh's roots, PEM: whom to take for the control plane before anything else is known. */
  readonly rootPem: string;
  readonly trustDomain: string;
  /** One-time join token; not needed where `stateFolder` holds a valid identity. */
  readonly token?: string;
  /** Of the certificates that are asked for; the CA's own time if undefined. */
  readonly ttlSeconds?: number;
  /** Keeps the identity, so that a restart needs no new token; nothing is kept if undefined. */
  readonly stateFolder?: string;
  /** Envoy's admin page, on the workload's address if that is loopback, else on 127.0.0.1. 0: any. */
  readonly adminPort: number;
  /** Serves `/healthz/ready` there, if defined. 0: any. */
  readonly healthPort?: number;
  /** 127.0.0.1 if undefined. */
  readonly healthHost?: string;
  readonly envoyPath: string;
  /** Envoy's worker threads; one if undefined. */
  readonly concurrency?: number;
  /** How long connections on a replaced listener may go on; 45 s if undefined. */
  readonly drainSeconds?: number;
  /** How long a stop waits for requests under way; 5 s if undefined, 0 cuts them. */
  readonly stopDrainMs?: number;
  /** Of this agent alone, with a short path: a Unix socket lies in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to 1; spreads renewals and retries. */
  readonly random?: () => number;
  /** How long to ask for the first certificate; a minute if undefined. */
  readonly startMsMax?: number;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

/** A running agent. Disposing drains and stops its Envoy, and leaves no process and no socket. */
export interface Agent extends AsyncDisposable {
  /** Settles once Envoy serves for the first time; rejects if it is stopped before. */
  readonly ready: Promise<void>;
  /** `http://127.0.0.1:15000` */
  readonly adminUrl: string;
  readonly envoyPid: number | undefined;
  /** How often Envoy was started again. */
  readonly envoyRestarts: number;
  /** Undefined without `healthPort`. */
  readonly healthPort: number | undefined;
  /** The identity of now, without its key. */
  identity(): Omit<Identity, "keyPem">;
  /** Why the workload should get no traffic; undefined if it should. */
  reason(): Promise<string | undefined>;
}

/** Istio's `drainDuration`. */
const DRAIN_SECONDS = 45;

/** Istio's `terminationDrainDuration`. */
const STOP_DRAIN_MS = 5_000;

/** A control plane that starts beside us is up by then; after it, whoever supervises us decides. */
const START_MS_MAX = 60_000;

/** The control plane's own workload. */
const CONTROL_PLANE = "ns/weft-system/sa/weft";

/**
 * Gets the identity, serves it to Envoy and starts Envoy; answers once its admin page is up.
 *
 * @throws WeftError invalid `agent.bad_options`, `agent.bad_folder` or `agent.bad_certificate`; denied
 *   `agent.refused`; unavailable `agent.unreachable` or `agent.envoy_failed`; missing `agent.no_envoy`.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { clock, log, random = Math.random } = options;
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const secretPath = join(folder, "sds.sock");
  const domain = `spiffe://${options.trustDomain}`;
  const serverSpiffeId = `${domain}/${CONTROL_PLANE}`;
  const bootstrap = writeBootstrap({
    ...options,
    xds: xdsOf(options, serverSpiffeId),
    admin: { host: isLoopback(options.ip) ? options.ip : "127.0.0.1", port: options.adminPort },
    secretPath,
  });
  await using starting = new AsyncDisposableStack();
  const keeper = starting.use(
    await createIdentityKeeper({
      ...options,
      spiffeId: `${domain}/ns/${options.namespace}/sa/${options.serviceAccount}`,
      serverSpiffeId,
      pinnedRoots: splitPem(options.rootPem),
      ttlSeconds: options.ttlSeconds ?? 0,
      startMsMax: options.startMsMax ?? START_MS_MAX,
      random,
    }),
  );
  starting.use(await serveSecrets({ path: secretPath, keeper, clock, log }));
  const envoy = starting.use(
    await superviseEnvoy({
      program: options.envoyPath,
      folder,
      bootstrap,
      concurrency: options.concurrency ?? 1,
      drainSeconds: options.drainSeconds ?? DRAIN_SECONDS,
      stopDrainMs: options.stopDrainMs ?? STOP_DRAIN_MS,
      random,
      log,
    }),
  );
  let isStopping = false;
  const reason = async (): Promise<string | undefined> => {
    if (isStopping) return "the agent stops";
    if (keeper.current().notAfterMs <= clock.now()) return "the certificate has expired";
    return (await isLive(envoy.adminUrl)) ? undefined : "envoy does not serve yet";
  };
  const health =
    options.healthPort === undefined
      ? undefined
      : await serveHealth({
          host: options.healthHost ?? "127.0.0.1",
          port: options.healthPort,
          reason,
          adminUrl: () => envoy.adminUrl,
        });
  const started = starting.move();
  return {
    ready: envoy.ready,
    get adminUrl() {
      return envoy.adminUrl;
    },
    get envoyPid() {
      return envoy.pid;
    },
    get envoyRestarts() {
      return envoy.restarts;
    },
    healthPort: health?.port,
    identity() {
      const { keyPem: _secret, ...shown } = keeper.current();
      return shown;
    },
    reason,
    async [Symbol.asyncDispose]() {
      isStopping = true;
      await started.disposeAsync();
      await health?.[Symbol.asyncDispose]();
    },
  };
}

function xdsOf(
  { server, plaintextXds }: AgentOptions,
  serverSpiffeId: string,
): Parameters<typeof writeBootstrap>[0]["xds"] {
  if (plaintextXds !== undefined) return { security: "plaintext", server: plaintextXds };
  return { security: "mtls", server, serverSpiffeId };
}
