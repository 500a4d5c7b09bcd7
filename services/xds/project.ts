import { setImmediate as yieldToSockets } from "node:timers/promises";
import type { Proxy as EnvoyProxy, Mesh } from "@weft/core/mesh";
import type { Logger } from "@weft/core/runtime";
import type { Resources, Snapshot, SnapshotResource } from "@weft/core/stream";
import { PLUGIN_RETRY_MS, type PluginCode } from "./plugin-code.ts";

/** The mesh as the log has it: a Fold is one. */
export interface MeshSource {
  readonly state: Mesh;
  readonly revision: number;
  /** Resolves once all is here that the log held at the start. */
  readonly caughtUp: Promise<void>;
  /** Calls back after each commit; answers how to end that. */
  subscribe(listener: () => void): () => void;
}

/** What a proxy should have. Pure. */
export type Compile = (mesh: Mesh, proxy: EnvoyProxy, plugins: PluginCode["find"]) => Snapshot;

/** Hears of each snapshot of its scope, and of revisions that change nothing for it. */
export type Deliver = (snapshot: Snapshot, revision: number) => void;

/** Keeps the snapshots of all connected proxies at the head of the log. */
export interface Projector extends Disposable {
  /** Delivers a proxy's snapshot soon, then each new one; answers how to end that. */
  join(proxy: EnvoyProxy, deliver: Deliver): () => void;
  /** The revision that the newest snapshots are of. */
  readonly revision: number;
}

export interface ProjectorOptions {
  readonly mesh: MeshSource;
  readonly compile: Compile;
  readonly plugins: PluginCode;
  readonly log: Logger;
}

/** Proxies that share all that translation reads of them. */
interface Scope {
  readonly proxy: EnvoyProxy;
  readonly members: Set<Deliver>;
  snapshot: Snapshot | undefined;
  /** What the snapshot was compiled from. */
  mesh: Mesh | undefined;
  /** The newest revision that the snapshot holds for. */
  revision: number;
}

export function createProjector({ mesh, compile, plugins, log }: ProjectorOptions): Projector {
  const scopes = new Map<string, Scope>();
  let interned: Interned = new Map();
  let revision = 0;
  let running = false;
  let again = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  /** One pass at a time; what happens during one is covered by the next. */
  async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await pass();
    } while (again && !stopped);
    running = false;
  }

  async function pass(): Promise<void> {
    // Commits that come in one turn of the event loop are one change.
    await yieldToSockets();
    const [state, at] = [mesh.state, mesh.revision];
    const missing = await plugins.load(state);
    clearTimeout(retry);
    if (missing.length > 0 && !stopped) retry = setTimeout(recompile, PLUGIN_RETRY_MS);
    const next: Interned = new Map();
    // Scopes that join meanwhile are visited too: a Map shows them.
    for (const scope of scopes.values()) {
      if (stopped) return;
      refresh(scope, state, next);
      scope.revision = at;
      if (scope.snapshot !== undefined) {
        for (const deliver of scope.members) deliver(scope.snapshot, at);
      }
      await yieldToSockets();
    }
    revision = at;
    interned = next;
  }

  function refresh(scope: Scope, state: Mesh, next: Interned): void {
    if (scope.mesh !== state) {
      try {
        const compiled = compile(state, scope.proxy, plugins.find);
        scope.snapshot = share(compiled, scope.snapshot, { before: interned, after: next });
        scope.mesh = state;
        return;
      } catch (error) {
        // The last good snapshot stays; the others must not suffer for one.
        log.error({ proxy: scope.proxy.id, revision: state.revision, err: error }, "no snapshot");
        scope.mesh = state;
      }
    }
    if (scope.snapshot !== undefined) keep(scope.snapshot, next);
  }

  /** After the code of a plugin may have come: the mesh is the same, the resources are not. */
  function recompile(): void {
    for (const scope of scopes.values()) scope.mesh = undefined;
    start();
  }

  function start(): void {
    run().catch((error: unknown) => {
      running = false;
      log.error({ err: error }, "the projection of the mesh stopped");
    });
  }

  const unsubscribe = mesh.subscribe(start);
  return {
    get revision() {
      return revision;
    },
    join(proxy, deliver) {
      const key = scopeKey(proxy);
      const known = scopes.get(key);
      const scope = known ?? createScope(proxy);
      scopes.set(key, scope);
      scope.members.add(deliver);
      if (scope.snapshot !== undefined) deliver(scope.snapshot, scope.revision);
      else start();
      return () => {
        scope.members.delete(deliver);
        if (scope.members.size === 0 && scopes.get(key) === scope) scopes.delete(key);
      };
    },
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(retry);
      unsubscribe();
    },
  };
}

function createScope(proxy: EnvoyProxy): Scope {
  return { proxy, members: new Set(), snapshot: undefined, mesh: undefined, revision: 0 };
}

/** All that translation may read of a proxy but its name. */
function scopeKey({ id: _, labels, ...proxy }: EnvoyProxy): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted, Object.entries(proxy).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The resources of all scopes, by type and name, so that equal ones are the same object. */
type Interned = Map<string, Map<string, SnapshotResource>>;

/**
 * Makes what is equal identical: a resource that another scope or the last pass has too, and a whole
 * type that did not change. Streams then see at a glance that there is nothing to send, and share
 * encoded bytes.
 */
function share(
  compiled: Snapshot,
  last: Snapshot | undefined,
  { before, after }: { readonly before: Interned; readonly after: Interned },
): Snapshot {
  const shared = new Map<string, Resources>();
  for (const [url, resources] of compiled) {
    const table = tableOf(after, url);
    const old = last?.get(url);
    const next = new Map<string, SnapshotResource>();
    let same = old?.size === resources.size;
    for (const resource of resources.values()) {
      const { name, version } = resource;
      const known = [table, before.get(url), old].map((held) => held?.get(name));
      const found = known.find((candidate) => candidate?.version === version) ?? resource;
      table.set(name, found);
      next.set(name, found);
      same &&= old?.get(name)?.version === version;
    }
    shared.set(url, same && old !== undefined ? old : next);
  }
  return shared;
}

function keep(snapshot: Snapshot, table: Interned): void {
  for (const [url, resources] of snapshot) {
    const held = tableOf(table, url);
    for (const resource of resources.values()) held.set(resource.name, resource);
  }
}

function tableOf(interned: Interned, url: string): Map<string, SnapshotResource> {
  let table = interned.get(url);
  if (table === undefined) {
    table = new Map();
    interned.set(url, table);
  }
  return table;
}
