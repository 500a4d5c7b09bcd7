// The log: where commits are kept, and what every reader of them checks.

export {
  type AuthorityLog,
  appendSurely,
  type FollowAuthorityOptions,
  followAuthority,
} from "./authority.ts";
export {
  type Admitted,
  admitEntry,
  COMMIT_SCHEMA,
  type Head,
  headOf,
  type LogIdentity,
  type Position,
  startOfLog,
} from "./chain.ts";
export {
  type ConnectNatsOptions,
  checkServerVersion,
  connectNats,
  isConnected,
  onDisconnect,
} from "./connection.ts";
export { type Fold, type FoldListener, type FollowOptions, followLog } from "./fold.ts";
export { ensureGenesis, type GenesisOptions } from "./genesis.ts";
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
export { openCaLog, openConfigLog } from "./nats.ts";
export { createNatsBlobs, type NatsBlobsOptions } from "./nats-blobs.ts";
export type { OpenLogOptions } from "./stream.ts";
export {
  appendCommit,
  createWriter,
  type Draft,
  type Outcome,
  type Write,
  type Writer,
  type WriterOptions,
  type Written,
} from "./writer.ts";
