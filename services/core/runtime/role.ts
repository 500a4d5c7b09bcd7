import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";
import type { Monitor } from "./monitor.ts";

/** What every role of `weft serve` is handed. */
export interface RoleContext {
  readonly mesh: string;
  /** Names this process among its peers. */
  readonly replica: string;
  readonly nats: NatsConnection;
  readonly clock: Clock;
  readonly log: Logger;
  readonly monitor: Monitor;
}
