// The xDS role: follows the log of a mesh and serves every proxy what it should have.

import { type Blobs, followLog, isConnected, type Journal } from "@weft/core/journal";
import { emptyMesh, evolve, type Mesh } from "@weft/core/mesh";
import type { GrpcRoutes, RoleContext } from "@weft/core/runtime";
import { createPluginCode } from "./plugin-code.ts";
import { createProjector, type MeshSource } from "./project.ts";
import { createProxies, type Proxies } from "./proxies.ts";
import { serveXds } from "./serve.ts";
import { compileSnapshot } from "./snapshot.ts";

export interface XdsOptions {
  /** The configuration log. */
  readonly journal: Journal;
  /** Where the code of plugins lies. */
  readonly blobs: Pick<Blobs, "get">;
}

/** Disposing ends the streams with UNAVAILABLE, each at its own time; then the fold and the reports. */
export interface XdsRole extends AsyncDisposable {
  /** Takes every client at its word: for loopback, or where the network vouches. */
  readonly plaintextRoutes: GrpcRoutes;
  /** Takes a client only with the certificate of the workload it says it is. */
  readonly tlsRoutes: GrpcRoutes;
  /** Who is connected, and what they have taken. */
  readonly proxies: Pick<Proxies, "list">;
}

/**
 * Starts the role. It answers streams once the fold has caught up; before, with UNAVAILABLE. If the
 * log freezes, the last good state stays served.
 *
 * @throws WeftError unavailable `log.unavailable` if the log cannot say where it ends.
 */
export async function startXds(context: RoleContext, options: XdsOptions): Promise<XdsRole> {
  const { mesh: meshName, replica, nats, clock, monitor } = context;
  const log = context.log.child({ role: "xds" });
  const ended = new AbortController();
  const mesh = await followLog<Mesh>({
    journal: options.journal,
    mesh: meshName,
    initial: emptyMesh(meshName),
    evolve,
    signal: ended.signal,
    log,
  });
  watchReadiness(mesh, context);
  const plugins = createPluginCode(options.blobs, log);
  const projector = createProjector({ mesh, compile: compileSnapshot, plugins, log });
  const subject = `weft.${meshName}.hb.${replica}`;
  const proxies = createProxies({
    replica,
    clock,
    log,
    monitor,
    revision: () => mesh.revision,
    publish(report) {
      // What is handed to a client that has no server may be sent much later, as if it were news.
      if (isConnected(nats)) nats.publish(subject, report);
    },
  });
  const unsubscribe = mesh.subscribe(() => proxies.moved());
  const served = serveXds({ replica, clock, mesh, projector, proxies });
  return {
    plaintextRoutes: served.plaintext,
    tlsRoutes: served.tls,
    proxies,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      unsubscribe();
      projector[Symbol.dispose]();
      proxies[Symbol.dispose]();
      ended.abort();
    },
  };
}

/** Half a log looks like a mesh where half of everything was deleted: not ready until it is whole. */
function watchReadiness(mesh: MeshSource, { monitor }: Pick<RoleContext, "monitor">): void {
  let behind = true;
  mesh.caughtUp.then(
    () => {
      behind = false;
    },
    () => {}, // the fold logs why it ended, and the role stays unready
  );
  monitor.addReadiness("xds", () => (behind ? "the log is being read" : undefined));
}
