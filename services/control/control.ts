import type { AuthorityLog, Blobs, Fold, Journal, Writer } from "@weft/core/journal";
import type { Mesh } from "@weft/core/mesh";
import type { RoleContext } from "@weft/core/runtime";
import type { Access } from "./access.ts";
import type { Chronicle } from "./chronicle.ts";
import type { History } from "./history.ts";
import type { ProxiesTable } from "./proxies-table.ts";

/** All that commands and queries work with. */
export interface Control extends Pick<RoleContext, "mesh" | "clock" | "log"> {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly fold: Fold<Mesh>;
  readonly writer: Writer<Mesh>;
  readonly chronicle: Chronicle;
  readonly history: History;
  readonly authority: AuthorityLog;
  readonly proxies: ProxiesTable;
  readonly access: Access;
}

/** How long one command or query may take: above an election of NATS' leaders, some 10 s. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Aborts with the caller, or when the time is over. */
export function deadline(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
}
