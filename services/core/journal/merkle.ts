import { createHash } from "node:crypto";

/**
 * The tree over a log (RFC 6962, section 2.1), as little of it as appending needs: one hash for each
 * perfect subtree, the largest first. Never changed, only replaced.
 */
export interface Tree {
  /** Leaves. */
  readonly size: number;
  readonly frontier: readonly Uint8Array[];
}

export const emptyTree: Tree = { size: 0, frontier: [] };

/** SHA-256(0x00 ‖ payload), 32 bytes. */
export function hashLeaf(payload: Uint8Array): Uint8Array {
  return createHash("sha256").update(LEAF_PREFIX).update(payload).digest();
}

/** The tree with one more leaf. */
export function appendLeaf(tree: Tree, leafHash: Uint8Array): Tree {
  const frontier = [...tree.frontier];
  let hash = leafHash;
  // Each 1-bit at the end of the size is a perfect subtree that the new leaf completes to a larger.
  for (let rest = tree.size; rest % 2 === 1; rest = half(rest)) {
    hash = hashNode(frontier.pop() as Uint8Array, hash);
  }
  frontier.push(hash);
  return { size: tree.size + 1, frontier };
}

/** The root of the tree, 32 bytes; of an empty one, SHA-256 of nothing. */
export function rootOf(tree: Tree): Uint8Array {
  return (
    tree.frontier.reduceRight<Uint8Array | undefined>(
      (right, left) => (right === undefined ? left : hashNode(left, right)),
      undefined,
    ) ?? createHash("sha256").digest()
  );
}

/**
 * The hashes that lead from the leaf at `index` to the root over all `leaves` (section 2.1.1).
 * Takes time in proportion to the leaves.
 */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const middle = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)];
  return index < middle
    ? [...inclusionProof(left, index), rootOfLeaves(right)]
    : [...inclusionProof(right, index - middle), rootOfLeaves(left)];
}

/**
 * The hashes that lead from the root over the first `size` leaves to the root over all of them
 * (section 2.1.2).
 */
export function consistencyProof(leaves: readonly Uint8Array[], size: number): Uint8Array[] {
  return size === 0 ? [] : subproof(leaves, size, true);
}

function subproof(leaves: readonly Uint8Array[], size: number, known: boolean): Uint8Array[] {
  if (size === leaves.length) return known ? [] : [rootOfLeaves(leaves)];
  const middle = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)];
  return size <= middle
    ? [...subproof(left, size, known), rootOfLeaves(right)]
    : [...subproof(right, size - middle, false), rootOfLeaves(left)];
}

/** The claim that a leaf stands at `index` of the tree with `size` leaves and this root. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the proof proves the claim (RFC 9162, section 2.1.3.2). */
export function verifyInclusion({ index, size, leafHash, root, proof }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (leafHash.length !== HASH_BYTES) return false;
  const climb = climber(index, size - 1);
  let hash = leafHash;
  for (const sibling of proof) {
    const side = climb.step();
    if (side === undefined) return false;
    hash = side === "left" ? hashNode(sibling, hash) : hashNode(hash, sibling);
  }
  return climb.isAtRoot() && equalBytes(hash, root);
}

/** The claim that the tree with `newSize` leaves begins with the one of `oldSize`. */
export interface Consistency {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the proof proves the claim (RFC 9162, section 2.1.4.2); never for an empty old tree. */
export function verifyConsistency(claim: Consistency): boolean {
  const { oldSize, oldRoot, newSize, newRoot, proof } = claim;
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false;
  // Every log begins with the empty one, so a proof of that would prove nothing about the roots.
  if (oldSize === 0) return false;
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);
  const [start, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (start === undefined || proof.length === 0) return false;
  let [index, last] = [oldSize - 1, newSize - 1];
  for (; index % 2 === 1; index = half(index)) last = half(last);
  const climb = climber(index, last);
  let [oldHash, newHash] = [start, start];
  for (const sibling of rest) {
    const side = climb.step();
    if (side === undefined) return false;
    if (side === "left") oldHash = hashNode(sibling, oldHash);
    newHash = side === "left" ? hashNode(sibling, newHash) : hashNode(newHash, sibling);
  }
  return climb.isAtRoot() && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot);
}

/**
 * Walks from a node towards the root. Each step answers on which side the next sibling of the proof
 * stands, or undefined above the root. `last` is the index of the level's last node.
 */
function climber(index: number, last: number) {
  return {
    isAtRoot: () => last === 0,
    step(): "left" | "right" | undefined {
      if (last === 0) return undefined;
      const side = index % 2 === 1 || index === last ? "left" : "right";
      // A last node without a sibling rises unchanged until it is a right child.
      while (side === "left" && index % 2 === 0 && index !== 0) up();
      up();
      return side;
    },
  };
  function up(): void {
    index = half(index);
    last = half(last);
  }
}

const HASH_BYTES = 32;
const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash("sha256").update(NODE_PREFIX).update(left).update(right).digest();
}

function rootOfLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOf(leaves.reduce(appendLeaf, emptyTree));
}

/** The largest power of two below `size`: where the tree parts. */
function splitOf(size: number): number {
  let middle = 1;
  while (middle * 2 < size) middle *= 2;
  return middle;
}

/** Shifts right by one; sizes exceed the 32 bits of the operator. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(size: number): boolean {
  return splitOf(size) * 2 === size || size === 1;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Whether both are the same bytes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
