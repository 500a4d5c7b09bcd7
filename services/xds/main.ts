// The xDS role: follows the log of a mesh and serves every proxy what it should have.

import { type Blobs, isConnected } from "@weft/core/journal";
import type { RoleContext } from "@weft/core/runtime";
import { createPluginCode } from "./plugin-code.ts";
import { type Compile, createProjector, type MeshSource } from "./project.ts";
import { createProxies, type Proxies } from "./proxies.ts";
import { serveXds, type XdsRoutes } from "./serve.ts";

export type { Compile, MeshSource } from "./project.ts";
export type { XdsRoutes } from "./serve.ts";

export interface XdsOptions {
  /** The mesh as this process folds it: a Fold of the configuration log. */
  readonly mesh: MeshSource;
  /** Where the code of plugins lies. */
  readonly blobs: Pick<Blobs, "get">;
  /** From the mesh to the snapshot of a proxy. */
  readonly compile: Compile;
}

/** Disposing ends the streams with UNAVAILABLE, each at its own time; then the reports stop. */
export interface XdsRole extends AsyncDisposable {
  readonly routes: XdsRoutes;
  /** Who is connected, and what they have taken. */
  readonly proxies: Pick<Proxies, "list">;
}

/** Starts the role. It answers streams once the fold has caught up; before, with UNAVAILABLE. */
export async function startXds(context: RoleContext, options: XdsOptions): Promise<XdsRole> {
  const { mesh: meshName, replica, nats, clock, monitor } = context;
  const log = context.log.child({ role: "xds" });
  const { mesh, blobs, compile } = options;
  let behind = true;
  mesh.caughtUp.then(
    () => {
      behind = false;
    },
    () => {}, // the fold logs why it ended, and the role stays unready
  );
  monitor.addReadiness("xds", () => (behind ? "the log is being read" : undefined));
  const plugins = createPluginCode(blobs, log);
  const projector = createProjector({ mesh, compile, plugins, log });
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
  const served = serveXds({ replica, clock, mesh, projector, proxies });
  return {
    routes: served,
    proxies,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      projector[Symbol.dispose]();
      proxies[Symbol.dispose]();
    },
  };
}
