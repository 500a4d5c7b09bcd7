import type { Side } from "./play.ts";

/** Client and upstream of a case in a host that runs in this process. */
export interface Sides {
  readonly client: Side;
  readonly upstream: Side;
  /** Lets all go on that can. */
  settle(): void;
}
