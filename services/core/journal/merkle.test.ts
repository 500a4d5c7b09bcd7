import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  appendLeaf,
  consistencyProof,
  emptyTree,
  hashLeaf,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";

const corpus = resolve(import.meta.dirname, "../../../../shared/corpus/merkle");
const vectors = (kind: string) => globSync(`${kind}/**/*.json`, { cwd: corpus }).sort();
const bytes = (base64: string | null) => Uint8Array.from(Buffer.from(base64 ?? "", "base64"));
const leavesOf = (size: number) =>
  Array.from({ length: size }, (_, index) => hashLeaf(Buffer.from(`leaf ${index}`)));
const treeOf = (leaves: readonly Uint8Array[]) => leaves.reduce(appendLeaf, emptyTree);

/** The definition of RFC 6962, section 2.1, word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return createHash("sha256").update("").digest();
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return createHash("sha256")
    .update(Uint8Array.of(1))
    .update(naiveRoot(leaves.slice(0, middle)))
    .update(naiveRoot(leaves.slice(middle)))
    .digest();
}

/** All trees up to this size are tried: every shape of a frontier of seven hashes. */
const SIZE_MAX = 130;

test("the empty tree, one leaf and two leaves have the roots that RFC 6962 defines", () => {
  const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");
  const empty = hashLeaf(new Uint8Array());
  expect(
    [rootOf(emptyTree), empty, rootOf(treeOf([empty, hashLeaf(Uint8Array.of(0))]))].map(hex),
  ).toEqual([
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  ]);
});

test("the root kept while appending is the root by definition, at every size", () => {
  const leaves = leavesOf(SIZE_MAX);
  let tree = emptyTree;
  for (let size = 0; size <= SIZE_MAX; size++) {
    expect(rootOf(tree)).toEqual(naiveRoot(leaves.slice(0, size)));
    expect(tree.size).toBe(size);
    tree = appendLeaf(tree, leaves[size] ?? hashLeaf(new Uint8Array()));
  }
});

const spot = fc
  .integer({ min: 1, max: SIZE_MAX })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }) }));

test("every leaf is proved to be in the tree, and no other leaf, place or size is", () => {
  fc.assert(
    fc.property(spot, fc.nat(), ({ size, index }, at) => {
      const leaves = leavesOf(size);
      const proof = inclusionProof(leaves, index);
      const leafHash = leaves[index] as Uint8Array;
      const claim = { index, size, leafHash, root: rootOf(treeOf(leaves)), proof };
      expect(verifyInclusion(claim)).toBe(true);
      expect(verifyInclusion({ ...claim, leafHash: flip(leafHash, at) })).toBe(false);
      expect(verifyInclusion({ ...claim, root: flip(claim.root, at) })).toBe(false);
      expect(verifyInclusion({ ...claim, proof: [...proof, leafHash] })).toBe(false);
      expect(verifyInclusion({ ...claim, index: index + 1 })).toBe(false);
      if (proof.length > 0) {
        expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: flipOne(proof, at) })).toBe(false);
      }
    }),
  );
});

test("every tree is proved to begin with each smaller one, and with no other", () => {
  fc.assert(
    fc.property(spot, fc.nat(), ({ size, index }, at) => {
      const oldSize = index + 1;
      const leaves = leavesOf(size);
      const proof = consistencyProof(leaves, oldSize);
      const oldRoot = rootOf(treeOf(leaves.slice(0, oldSize)));
      const claim = { oldSize, oldRoot, newSize: size, newRoot: rootOf(treeOf(leaves)), proof };
      expect(verifyConsistency(claim)).toBe(true);
      expect(verifyConsistency({ ...claim, oldRoot: flip(oldRoot, at) })).toBe(false);
      expect(verifyConsistency({ ...claim, proof: [...proof, oldRoot] })).toBe(false);
      if (proof.length > 0) {
        expect(verifyConsistency({ ...claim, newRoot: flip(claim.newRoot, at) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: flipOne(proof, at) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.slice(1) })).toBe(false);
      }
    }),
  );
});

interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly desc: string;
  readonly wantErr: boolean;
}

interface ConsistencyVector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly desc: string;
  readonly wantErr: boolean;
}

describe("the vectors of transparency-dev", () => {
  const read = <T>(path: string) => JSON.parse(readFileSync(resolve(corpus, path), "utf8")) as T;

  test("inclusion proofs are taken and refused as they say", (context) => {
    if (!existsSync(corpus)) context.skip("skipped: corpus not present");
    const paths = vectors("inclusion");
    expect(paths.length).toBeGreaterThan(50);
    const wrong = paths.filter((path) => {
      const vector = read<InclusionVector>(path);
      const holds = verifyInclusion({
        index: vector.leafIdx,
        size: vector.treeSize,
        leafHash: bytes(vector.leafHash),
        root: bytes(vector.root),
        proof: (vector.proof ?? []).map(bytes),
      });
      return holds === vector.wantErr;
    });
    expect(wrong).toEqual([]);
  });

  test("consistency proofs are taken and refused as they say", (context) => {
    if (!existsSync(corpus)) context.skip("skipped: corpus not present");
    const paths = vectors("consistency");
    expect(paths.length).toBeGreaterThan(50);
    const wrong = paths.filter((path) => {
      const vector = read<ConsistencyVector>(path);
      const holds = verifyConsistency({
        oldSize: vector.size1,
        newSize: vector.size2,
        oldRoot: bytes(vector.root1),
        newRoot: bytes(vector.root2),
        proof: (vector.proof ?? []).map(bytes),
      });
      return holds === vector.wantErr;
    });
    expect(wrong).toEqual([]);
  });
});

/** The same hash with one bit changed. */
function flip(hash: Uint8Array, at: number): Uint8Array {
  return hash.map((byte, index) => (index === at % hash.length ? byte ^ (1 << (at % 8)) : byte));
}

function flipOne(proof: readonly Uint8Array[], at: number): Uint8Array[] {
  return proof.map((hash, index) => (index === at % proof.length ? flip(hash, at) : hash));
}
