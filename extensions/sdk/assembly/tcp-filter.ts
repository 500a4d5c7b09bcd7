import { Action, Peer, Status, StreamType } from "./abi/codes";
import * as host from "./abi/host";
import { Body } from "./body";
import { NoConfig } from "./plugin";
import { Stream } from "./stream";

/** The callbacks of a connection; see `TcpFilter`. */
export abstract class TcpStream extends Stream {
  onNewConnection(): Action {
    return Action.Continue;
  }

  /** Data of the client's; after a pause, all that has come since. */
  onDownstreamData(_data: Body, _size: u32, _endOfStream: bool): Action {
    return Action.Continue;
  }

  /** Data of the upstream's; after a pause, all that has come since. */
  onUpstreamData(_data: Body, _size: u32, _endOfStream: bool): Action {
    return Action.Continue;
  }

  onDownstreamClose(_peer: Peer): void {}

  onUpstreamClose(_peer: Peer): void {}

  /** Lets paused data of the client's go on. Envoy offers nothing like it for the upstream. */
  continueDownstream(): bool {
    return host.proxy_continue_stream(StreamType.Downstream) == Status.Ok;
  }

  closeDownstream(): bool {
    return host.proxy_close_stream(StreamType.Downstream) == Status.Ok;
  }

  closeUpstream(): bool {
    return host.proxy_close_stream(StreamType.Upstream) == Status.Ok;
  }
}

/** What a plugin does to one TCP connection; otherwise as `HttpFilter`. */
export abstract class TcpFilter<C = NoConfig> extends TcpStream {
  config!: C;
}
