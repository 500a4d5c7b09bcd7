import { WeftError } from "@weft/core/error";
import type { Blobs } from "@weft/core/journal";
import { type Mesh, resourcesOf } from "@weft/core/mesh";
import type { Logger } from "@weft/core/runtime";

/** The code of the plugins that a mesh uses, held in memory beside it. */
export interface PluginCode {
  /** The module of a digest, if it is here. */
  find(digest: string): Uint8Array | undefined;
  /**
   * Fetches what the mesh uses and is not here, and lets go of what it no longer uses. Never fails:
   * what could not be had is logged, once.
   *
   * @returns the digests that are still missing.
   */
  load(mesh: Mesh): Promise<readonly string[]>;
}

/** How soon code that could not be had is asked for again: a store that is away holds up no commit. */
export const PLUGIN_RETRY_MS = 5_000;

export function createPluginCode(blobs: Pick<Blobs, "get">, log: Logger): PluginCode {
  let held = new Map<string, Uint8Array>();
  /** When a digest that could not be had may be asked for again, ms of the monotonic clock. */
  const missed = new Map<string, number>();
  return {
    find: (digest) => held.get(digest),
    async load(mesh) {
      const next = new Map<string, Uint8Array>();
      const missing: string[] = [];
      for (const digest of usedDigests(mesh)) {
        const code = held.get(digest) ?? (await fetchCode(digest));
        if (code === undefined) missing.push(digest);
        else next.set(digest, code);
      }
      held = next;
      for (const digest of missed.keys()) if (!missing.includes(digest)) missed.delete(digest);
      return missing;
    },
  };

  async function fetchCode(digest: string): Promise<Uint8Array | undefined> {
    if ((missed.get(digest) ?? 0) > performance.now()) return undefined;
    try {
      const code = await blobs.get(digest);
      missed.delete(digest);
      return code;
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      if (!missed.has(digest)) log.warn({ digest, err: error }, "the code of a plugin is not here");
      missed.set(digest, performance.now() + PLUGIN_RETRY_MS);
      return undefined;
    }
  }
}

/** Digests of the published plugins that some WasmPlugin names. */
function usedDigests(mesh: Mesh): ReadonlySet<string> {
  const named = new Set(resourcesOf(mesh, "WasmPlugin").map(({ spec }) => spec.url));
  const used = resourcesOf(mesh, "Plugin").filter(({ name }) => named.has(`weft://${name}`));
  return new Set(used.map(({ spec }) => spec.digest).filter((digest) => digest !== ""));
}
