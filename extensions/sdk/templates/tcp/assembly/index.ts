import { Action, Body, config, counter, filter, TcpFilter } from "@weft/sdk/assembly";

const plain = counter("plain_connections_total");

/** A TLS connection begins with a handshake record (22) of version 3.x (RFC 8446 §5.1). */
const HANDSHAKE: i32 = 22;
const MAJOR_VERSION: i32 = 3;

/** Bytes that tell TLS from anything else. */
const PREFIX_BYTES: u32 = 2;

@config
class Settings {
  /** Whether plain connections are counted and let through: to try the plugin out. */
  onlyCount: bool = false;
}

/** Lets nothing reach the upstream that is not TLS: the first bytes of a connection decide. */
@filter("plugin-name")
export class OnlyTls extends TcpFilter<Settings> {
  private isDecided: bool = false;

  onDownstreamData(data: Body, size: u32, endOfStream: bool): Action {
    if (this.isDecided) return Action.Continue;
    // A connection may come byte by byte. What is held back is there again in the next call.
    if (size < PREFIX_BYTES && !endOfStream) return Action.Pause;
    this.isDecided = true;
    const start = data.get(0, PREFIX_BYTES);
    if (start == null || size == 0) return Action.Continue;
    if (start.at(0) == HANDSHAKE && start.at(1) == MAJOR_VERSION) return Action.Continue;
    plain.inc();
    if (this.config.onlyCount) return Action.Continue;
    this.closeDownstream();
    return Action.Pause;
  }
}
