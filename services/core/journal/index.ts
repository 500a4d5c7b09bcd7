// The log: where commits are kept, and what every reader of them checks.

export type { AppendOptions, Blobs, Entry, Journal } from "./journal.ts";
