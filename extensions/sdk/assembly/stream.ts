import { Status } from "./abi/codes";
import * as host from "./abi/host";
import { Plugin } from "./plugin";

/** What a plugin does to one stream or connection: its state, and what the host tells of it. */
export abstract class Stream {
  /** The host's id of it; never used twice within a VM. */
  id: u32 = 0;
  /** The plugin it belongs to, once the stream has begun. */
  owner: Plugin | null = null;

  /** Whether the object may serve another stream once this one is gone. */
  isReusable: bool = false;
  /** Of the open streams in the same slot, or of the plugin's spare ones, the one before it. */
  older: Stream | null = null;

  /** The plugin it belongs to. */
  get plugin(): Plugin {
    return this.owner!;
  }

  /** Everything about the stream is known: the time for access logs. Can be the first callback. */
  onLog(): void {}

  /** The stream is about to go. */
  onDone(): void {}

  /** The stream is gone; hostcalls about it fail from now on. */
  onDelete(): void {}

  /**
   * Makes this stream the one that hostcalls are about, until the host calls again. False if it is
   * gone. Only those need it who were called about something else, as on a tick.
   */
  select(): bool {
    return host.proxy_set_effective_context(this.id) == Status.Ok;
  }
}
