import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyManifests } from "./apply.ts";
import { drawFrom, drawSpec } from "./arbitrary.ts";
import { type ChangeDraft, type Hash, previewMesh, sealChanges } from "./change.ts";
import { diffMeshes } from "./diff.ts";
import { evolve } from "./evolve.ts";
import { manifestOf, type ReadManifest } from "./manifest.ts";
import { emptyMesh, type Mesh } from "./mesh.ts";
import { deleteResources } from "./remove.ts";
import { type Kind, resourceKey, SPECS } from "./resource.ts";
import { restoreMesh, revertCommit } from "./rollback.ts";

/** No SHA-256, but as pure: evolve copies what it is told. */
const hash: Hash = (bytes) => {
  const digest = new Uint8Array(32);
  for (const [index, byte] of bytes.entries()) {
    digest[index % 32] = (digest[index % 32] ?? 0) * 31 + byte;
  }
  return digest;
};

const kinds = Object.keys(SPECS) as Kind[];
const DAY_MS = 24 * 60 * 60 * 1000;

/** A commit with its revision, one minute after the one before it. */
function commitOf(mesh: Mesh, drafts: readonly ChangeDraft[]): Commit {
  const revision = mesh.revision + 1;
  return create(CommitSchema, {
    id: `commit-${revision}`,
    command: { id: `command-${revision}`, digest: new Uint8Array([revision % 256]) },
    at: timestampFromMs(revision * 60_000),
    kind: { case: "configCommitted", value: { changes: sealChanges(mesh, drafts, hash) } },
  });
}

function fold(mesh: Mesh, commits: readonly Commit[]): Mesh {
  return commits.reduce((state, commit) => evolve(state, commit, state.revision + 1), mesh);
}

/** A manifest of one of a few names, with a spec that the seed decides. */
function manifestFrom(seed: number): ReadManifest {
  const draw = drawFrom(seed);
  const kind = kinds[draw(kinds.length - 1)] as Kind;
  const head = {
    name: `name-${draw(3)}`,
    namespace: "default",
    labels: draw(1) === 0 ? {} : { version: `v${draw(2)}` },
    annotations: {},
  };
  const spec = drawSpec(kind, draw);
  const at = { line: 1, column: 1 };
  const manifest = manifestOf(kind, head, { spec });
  return { kind, ...head, manifest, spec, path: "drawn.yaml", at, places: new Map() };
}

/** Manifests of different resources, as readManifests gives them. */
function manifestsFrom(seeds: readonly number[]): ReadManifest[] {
  return [...new Map(seeds.map(manifestFrom).map((each) => [resourceKey(each), each])).values()];
}

/** A history: each step applies manifests, or deletes one resource that is there. */
function historyFrom(steps: readonly (readonly number[])[]): Commit[] {
  const commits: Commit[] = [];
  let mesh = emptyMesh("test");
  for (const seeds of steps) {
    const all = Object.values(mesh.resources).flatMap((each) => [...each.values()]);
    const gone = all[(seeds[0] ?? 0) % Math.max(all.length, 1)];
    const isDeletion = gone !== undefined && seeds.length === 1;
    const drafts = isDeletion
      ? deleteResources(mesh, [gone])
      : applyManifests(mesh, manifestsFrom(seeds));
    const commit = commitOf(mesh, drafts);
    commits.push(commit);
    mesh = evolve(mesh, commit, mesh.revision + 1);
  }
  return commits;
}

const step = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });
const history = fc.array(step, { minLength: 1, maxLength: 8 });

/** What a mesh says, without when it was said. */
function contents(mesh: Mesh) {
  return diffMeshes(emptyMesh(mesh.name), mesh).map(({ after }) => ({
    key: after && resourceKey(after),
    spec: after?.spec,
    labels: after?.labels,
    annotations: after?.annotations,
  }));
}

test("folding a history is folding a part of it and then the rest", () => {
  fc.assert(
    fc.property(history, fc.nat(), (steps, cut) => {
      const commits = historyFrom(steps);
      const at = cut % (commits.length + 1);
      const whole = fold(emptyMesh("test"), commits);
      const half = fold(emptyMesh("test"), commits.slice(0, at));
      expect(fold(half, commits.slice(at))).toEqual(whole);
      // The half is still what it was: folding on did not reach into it.
      expect(half).toEqual(fold(emptyMesh("test"), commits.slice(0, at)));
    }),
    { numRuns: 50 },
  );
});

test("taking a commit back gives the resources before it", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const commits = historyFrom(steps);
      const before = fold(emptyMesh("test"), commits.slice(0, -1));
      const commit = commits.at(-1) as Commit;
      const after = evolve(before, commit, before.revision + 1);
      const changes = commit.kind.case === "configCommitted" ? commit.kind.value.changes : [];
      fc.pre(changes.length > 0);
      const drafts = revertCommit(after, { commit, revision: after.revision }, before);
      const back = evolve(after, commitOf(after, drafts), after.revision + 1);
      expect(contents(back)).toEqual(contents(before));
    }),
    { numRuns: 50 },
  );
});

test("restoring a revision gives its resources", () => {
  fc.assert(
    fc.property(history, fc.nat(), (steps, cut) => {
      const commits = historyFrom(steps);
      const then = fold(emptyMesh("test"), commits.slice(0, cut % (commits.length + 1)));
      const now = fold(emptyMesh("test"), commits);
      const restored = previewMesh(now, restoreMesh(now, then), hash);
      expect(contents(restored)).toEqual(contents(then));
      expect(restoreMesh(restored, then)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test("the order of manifests in one apply does not matter", () => {
  fc.assert(
    fc.property(history, fc.array(fc.nat(), { maxLength: 8 }), (steps, seeds) => {
      const mesh = fold(emptyMesh("test"), historyFrom(steps));
      const manifests = manifestsFrom(seeds);
      const forth = previewMesh(mesh, applyManifests(mesh, manifests), hash);
      const back = previewMesh(mesh, applyManifests(mesh, manifests.toReversed()), hash);
      expect(contents(back)).toEqual(contents(forth));
      const again = applyManifests(forth, manifests).map(({ operation }) => operation);
      expect(new Set(again)).toEqual(new Set(manifests.length > 0 ? ["unchanged"] : []));
    }),
    { numRuns: 50 },
  );
});

test("the first commit says which mesh this is", () => {
  const value = { incarnation: "i1", trustDomain: "shop.example" };
  const genesis = create(CommitSchema, { kind: { case: "genesis", value } });
  expect(evolve(emptyMesh("shop"), genesis, 1)).toEqual({
    ...emptyMesh("shop"),
    ...value,
    revision: 1,
  });
});

test("a commit of an unknown kind is passed over only if it may be", () => {
  const mesh = emptyMesh("shop");
  expect(evolve(mesh, create(CommitSchema, { ignorable: true }), 1).revision).toBe(1);
  expect(() => evolve(mesh, create(CommitSchema), 1)).toThrow("log.frozen");
});

test("a resource of a kind from the future stops the fold", () => {
  const put = { ref: { kind: "Orchard", namespace: "default", name: "apple" } };
  const changes = [{ op: { case: "put" as const, value: put } }];
  const commit = create(CommitSchema, { kind: { case: "configCommitted", value: { changes } } });
  expect(() => evolve(emptyMesh("shop"), commit, 1)).toThrow(
    "log.frozen: commit r1 holds kind Orchard, which this version does not know",
  );
});

test("commands are remembered for a day of the log's own time", () => {
  const commandAt = (id: string, atMs: number): Commit =>
    create(CommitSchema, {
      command: { id, digest: new Uint8Array([0xab]) },
      at: timestampFromMs(atMs),
      ignorable: true,
    });
  const first = fold(emptyMesh("shop"), [commandAt("a", 0), commandAt("b", DAY_MS)]);
  expect([...first.commands]).toEqual([
    ["a", { revision: 1, digest: "ab", atMs: 0 }],
    ["b", { revision: 2, digest: "ab", atMs: DAY_MS }],
  ]);
  const later = evolve(first, commandAt("c", DAY_MS + 1), 3);
  expect([...later.commands.keys()]).toEqual(["b", "c"]);
  expect(first.commands.get("a")?.revision).toBe(1);
  // Two futures of one state do not see one another.
  const other = evolve(first, commandAt("d", DAY_MS), 3);
  expect([...other.commands.keys()]).toEqual(["a", "b", "d"]);
  expect(later.commands.has("d")).toBe(false);
});
