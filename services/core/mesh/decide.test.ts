import { create } from "@bufbuild/protobuf";
import { type Commit, CommitSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";
import { expect, test } from "vitest";
import { applyManifests } from "./apply.ts";
import { type ChangeDraft, type Hash, sealChanges } from "./change.ts";
import { diffMeshes } from "./diff.ts";
import { evolve } from "./evolve.ts";
import { readManifests } from "./manifest.ts";
import { emptyMesh, type Mesh } from "./mesh.ts";
import { deleteResources } from "./remove.ts";
import { resourceKey } from "./resource.ts";
import { revertCommit } from "./rollback.ts";

/** The length stands for the hash. */
const hash: Hash = (bytes) => new Uint8Array(32).fill(bytes.length);

function ruleFor(host: string, subset: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${host} }
spec: { host: ${host}, subsets: [{ name: ${subset}, labels: { version: ${subset} } }] }
---
`;
}

function draftsFor(mesh: Mesh, ...texts: string[]): ChangeDraft[] {
  const read = readManifests([{ path: "rules.yaml", text: texts.join("") }], {
    namespace: "default",
  });
  expect(read.findings).toEqual([]);
  return applyManifests(mesh, read.manifests);
}

function commitWith(mesh: Mesh, drafts: readonly ChangeDraft[]): Commit {
  const changes = sealChanges(mesh, drafts, hash);
  return create(CommitSchema, { kind: { case: "configCommitted", value: { changes } } });
}

function after(mesh: Mesh, drafts: readonly ChangeDraft[]): Mesh {
  return evolve(mesh, commitWith(mesh, drafts), mesh.revision + 1);
}

function told(drafts: readonly ChangeDraft[]): string[] {
  return drafts.map(({ operation, ref }) => `${operation} ${resourceKey(ref)}`);
}

const empty = emptyMesh("shop");
const one = after(empty, draftsFor(empty, ruleFor("reviews", "v1")));

test("applying creates, updates, and leaves alone what is so already", () => {
  const drafts = draftsFor(
    after(one, draftsFor(one, ruleFor("ratings", "v1"))),
    ruleFor("reviews", "v1"),
    ruleFor("ratings", "v2"),
    ruleFor("details", "v1"),
  );
  expect(told(drafts)).toEqual([
    "unchanged DestinationRule/default/reviews",
    "update DestinationRule/default/ratings",
    "create DestinationRule/default/details",
  ]);
});

test("a change carries the hashes of what it replaces and leaves", () => {
  const [change] = sealChanges(one, draftsFor(one, ruleFor("reviews", "v1-canary")), hash);
  const before = one.resources.DestinationRule?.get("default/reviews");
  expect(change?.beforeHash).toEqual(before?.hash);
  expect(change?.afterHash).toEqual(
    hash(change?.op.case === "put" ? change.op.value.spec : new Uint8Array()),
  );
  expect(change?.afterHash).not.toEqual(change?.beforeHash);
});

test("deleting names each resource once", () => {
  const ref = { kind: "DestinationRule", namespace: "default", name: "reviews" };
  expect(told(deleteResources(one, [ref, ref]))).toEqual([
    "delete DestinationRule/default/reviews",
  ]);
  expect(diffMeshes(after(one, deleteResources(one, [ref])), empty)).toEqual([]);
});

test("a resource that is not there is missed, with what may have been meant", () => {
  const missed = (kind: string, name: string) => () =>
    deleteResources(one, [{ kind, namespace: "default", name }]);
  expect(missed("DestinationRule", "reviws")).toThrow(
    "mesh.unknown_resource: mesh shop has no DestinationRule default/reviws; " +
      "did you mean default/reviews?",
  );
  expect(missed("DestinationRules", "reviews")).toThrow(
    "mesh.unknown_resource: DestinationRules is no kind that a mesh holds; " +
      "did you mean DestinationRule?",
  );
});

test("a commit is not taken back over a later change, which is named", () => {
  const commit = commitWith(one, draftsFor(one, ruleFor("reviews", "v2")));
  const two = evolve(one, commit, 2);
  const three = after(two, draftsFor(two, ruleFor("reviews", "v3")));
  const gone = after(two, deleteResources(two, [{ ...resource("reviews") }]));
  const revert = (mesh: Mesh) => () => revertCommit(mesh, { commit, revision: 2 }, one);
  expect(revert(three)).toThrow(
    "mesh.revert_conflict: r2 cannot be taken back alone: " +
      "DestinationRule default/reviews was changed again in r3",
  );
  expect(revert(gone)).toThrow("DestinationRule default/reviews was deleted later");
});

test("taking back what is already as it was changes nothing", () => {
  const commit = commitWith(one, draftsFor(one, ruleFor("reviews", "v2")));
  const two = evolve(one, commit, 2);
  const three = after(two, draftsFor(two, ruleFor("reviews", "v1")));
  const drafts = revertCommit(three, { commit, revision: 2 }, one);
  expect(told(drafts)).toEqual(["unchanged DestinationRule/default/reviews"]);
});

test("a commit without resources cannot be taken back", () => {
  const genesis = create(CommitSchema, { kind: { case: "genesis", value: {} } });
  expect(() => revertCommit(one, { commit: genesis, revision: 1 }, empty)).toThrow(
    "mesh.nothing_to_revert: revision r1 changed no resource",
  );
});

test("an update keeps the age of a resource, and a new life begins anew", () => {
  const updated = after(one, draftsFor(one, ruleFor("reviews", "v2")));
  const deleted = after(updated, deleteResources(updated, [resource("reviews")]));
  const again = after(deleted, draftsFor(deleted, ruleFor("reviews", "v2")));
  const agesOf = (mesh: Mesh) => {
    const found = mesh.resources.DestinationRule?.get("default/reviews");
    return [found?.createdAt, found?.changedAt];
  };
  expect([agesOf(one), agesOf(updated), agesOf(again)]).toEqual([
    [1, 1],
    [1, 2],
    [4, 4],
  ]);
});

function resource(name: string) {
  return { kind: "DestinationRule", namespace: "default", name };
}
