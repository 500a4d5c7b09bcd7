// The control role: the API with which people and tools change a mesh and ask about it.

import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type Blobs,
  createWriter,
  ensureGenesis,
  followAuthority,
  followLog,
  isConnected,
  type Journal,
} from "@weft/core/journal";
import { emptyMesh, evolve, type Mesh } from "@weft/core/mesh";
import type { RoleContext } from "@weft/core/runtime";
import { ControlService } from "@weft/proto/weft/control/v1/control_pb.ts";
import { createAccess } from "./access.ts";
import { createChronicle } from "./chronicle.ts";
import { createCommands } from "./commands.ts";
import type { Control } from "./control.ts";
import { answer, createEdge } from "./edge.ts";
import { createHistory } from "./history.ts";
import { listen } from "./listen.ts";
import { createProxiesTable, followReports } from "./proxies-table.ts";
import { createQueries } from "./queries.ts";

export interface ControlOptions {
  /** The configuration log. */
  readonly journal: Journal;
  readonly blobs: Blobs;
  /** The CA's decisions: roots to show, tokens to add. */
  readonly authority: Journal;
  /** For a log that begins here; one that has begun says it itself. */
  readonly trustDomain: string;
  /** Others than this machine may only call with the token of `tokenFile`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** A file with the token that every caller must send as `Authorization: Bearer`. */
  readonly tokenFile?: string;
}

export interface ControlRole extends AsyncDisposable {
  /** `127.0.0.1:8080` */
  readonly address: string;
}

/** A request: a plugin of 4 MiB takes a third more as JSON, and documents as much as a plugin. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

/** An answer: above it, ask for less. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Serves the API once the fold has caught up. Reads go on from memory when the log is away or
 * frozen; writes are refused and say why.
 *
 * @throws WeftError `control.not_loopback`, `log.unavailable`, `log.frozen`.
 */
export async function startControl(
  context: RoleContext,
  options: ControlOptions,
): Promise<ControlRole> {
  const { nats, mesh } = context;
  const log = context.log.child({ role: "control" });
  const started = new AsyncDisposableStack();
  try {
    const stop = new AbortController();
    started.defer(() => stop.abort());
    const control = await createControl({ ...context, log }, options, stop.signal);
    started.use(followReports(control.proxies, { nats, mesh, log }));
    started.defer(tellMonitor(context, control));
    const handler = connectNodeAdapter({
      routes: (router) => {
        router.service(ControlService, { ...createCommands(control), ...createQueries(control) });
      },
      interceptors: [createEdge(log)],
      requestGate({ method, requestHeader }) {
        try {
          control.access.check(requestHeader);
        } catch (error) {
          throw answer(log, method.name, error);
        }
      },
      readMaxBytes: REQUEST_BYTES_MAX,
      writeMaxBytes: RESPONSE_BYTES_MAX,
      acceptCompression: [],
      shutdownSignal: stop.signal,
    });
    const listening = started.use(await listen(handler, options));
    log.info({ address: listening.address, revision: control.fold.revision }, "serving the API");
    return {
      address: listening.address,
      [Symbol.asyncDispose]: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** Tells why writes would be refused, and where the fold is; answers how to end that. */
function tellMonitor({ monitor, nats }: RoleContext, { fold, authority }: Control): () => void {
  monitor.addReadiness("control", () => fold.frozen?.message);
  monitor.addReadiness("authority", () => authority.frozen?.message);
  monitor.addReadiness("writes", () =>
    isConnected(nats) ? undefined : "NATS does not answer; what was read last is served",
  );
  const revision = monitor.metric("weft_revision", "gauge", "Revision of the log folded here.");
  revision.set(fold.revision);
  return fold.subscribe((_, __, at) => revision.set(at));
}

/** The parts behind the API: everything but its socket. */
export async function createControl(
  context: Pick<RoleContext, "mesh" | "clock" | "log"> & Partial<Pick<RoleContext, "nats">>,
  options: Omit<ControlOptions, "port">,
  signal: AbortSignal,
): Promise<Control> {
  const { mesh, clock, log, nats } = context;
  const { journal, blobs, trustDomain } = options;
  const access = await createAccess(options);
  const newId = (): string => crypto.randomUUID();
  await ensureGenesis(journal, { mesh, trustDomain, clock, newId });
  const chronicle = createChronicle(journal);
  const fold = await followLog<Mesh>({
    journal,
    mesh,
    initial: emptyMesh(mesh),
    // The chronicle folds the same commits: it has each as soon as the mesh has.
    evolve(state, commit, revision) {
      const next = evolve(state, commit, revision);
      chronicle.record(commit, revision);
      return next;
    },
    signal,
    log,
  });
  const history = createHistory(fold, journal);
  fold.subscribe((state) => history.keep(state));
  await fold.caughtUp;
  const writer = createWriter({
    fold,
    journal,
    clock,
    newId,
    outcomeOf: ({ commands }, commandId) => commands.get(commandId),
  });
  const authority = await followAuthority({
    mesh,
    journal: options.authority,
    clock,
    log,
  });
  signal.addEventListener("abort", () => void authority[Symbol.asyncDispose]());
  const proxies = createProxiesTable(clock, () => nats === undefined || isConnected(nats));
  return {
    mesh,
    clock,
    log,
    journal,
    blobs,
    fold,
    writer,
    chronicle,
    history,
    authority,
    proxies,
    access,
  };
}
