// The log: where commits are kept, and what every reader of them checks.

export {
  type AppendOptions,
  BLOB_BYTES_MAX,
  type Blobs,
  type CaLog,
  DUPLICATE_WINDOW_MS,
  type Entry,
  type Journal,
  type LogReader,
  PAYLOAD_BYTES_MAX,
} from "./journal.ts";
export {
  createMemoryBlobs,
  createMemoryCaLog,
  createMemoryJournal,
  type MemoryLogOptions,
} from "./memory.ts";
export {
  appendLeaf,
  type Consistency,
  consistencyProof,
  emptyTree,
  hashLeaf,
  type Inclusion,
  inclusionProof,
  rootOf,
  type Tree,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
