import { WeftError } from "@weft/core/error";
import type { Fold, LogReader } from "@weft/core/journal";
import { emptyMesh, evolve, type Mesh } from "@weft/core/mesh";
import { readCommits } from "./chronicle.ts";

/** The mesh as it was at any revision. */
export interface History {
  /** Keeps a state that the fold reached, where it lies well; to be told of each. */
  keep(mesh: Mesh): void;
  /**
   * The mesh at a revision: the nearest state that is kept, folded on from there.
   *
   * @throws WeftError missing `mesh.unknown_revision`, unavailable `log.unavailable`.
   */
  at(revision: number, signal: AbortSignal): Promise<Mesh>;
}

/** Commits between two kept states to begin with: 1,000 are folded again in some 10 ms. */
const SPACING_REVISIONS = 1_000;

/** States kept; they share what did not change. With more, every other one goes. */
const KEPT_MAX = 64;

/** States kept because they were asked for: whoever pages through history asks for neighbours. */
const ASKED_MAX = 16;

export function createHistory(fold: Fold<Mesh>, log: LogReader): History {
  const kept = new Map<number, Mesh>();
  const asked = new Map<number, Mesh>();
  let spacing = SPACING_REVISIONS;

  function nearest(revision: number): Mesh {
    let found = emptyMesh(fold.mesh);
    for (const mesh of [...kept.values(), ...asked.values()]) {
      if (mesh.revision <= revision && mesh.revision > found.revision) found = mesh;
    }
    return found;
  }

  return {
    keep(mesh) {
      if (mesh.revision % spacing !== 0) return;
      kept.set(mesh.revision, mesh);
      if (kept.size <= KEPT_MAX) return;
      spacing *= 2;
      for (const revision of kept.keys()) if (revision % spacing !== 0) kept.delete(revision);
    },
    async at(revision, signal) {
      const head = fold.state;
      if (revision === head.revision) return head;
      if (!Number.isSafeInteger(revision) || revision < 0 || revision > head.revision) {
        const message = `there is no revision r${revision}; the head is r${head.revision}`;
        throw new WeftError("missing", "mesh.unknown_revision", message);
      }
      let mesh = nearest(revision);
      const range = { from: mesh.revision + 1, to: revision, signal };
      for await (const { commit, revision: at } of readCommits(log, range)) {
        mesh = evolve(mesh, commit, at);
      }
      asked.delete(revision);
      asked.set(revision, mesh);
      const oldest = asked.keys().next().value;
      if (asked.size > ASKED_MAX && oldest !== undefined) asked.delete(oldest);
      return mesh;
    },
  };
}
