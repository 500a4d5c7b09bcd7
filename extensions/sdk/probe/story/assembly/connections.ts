import { Action, Body, filter, logInfo, Peer, TcpFilter } from "@weft/sdk/assembly";

/** Marks what goes through a connection, either way. */
@filter("connections")
export class Connection extends TcpFilter {
  private sent: u32 = 0;
  private received: u32 = 0;

  onDownstreamData(data: Body, size: u32, _endOfStream: bool): Action {
    this.sent += size;
    if (size > 0) data.prepend(">");
    return Action.Continue;
  }

  onUpstreamData(data: Body, size: u32, _endOfStream: bool): Action {
    this.received += size;
    if (size > 0) data.prepend("<");
    return Action.Continue;
  }

  onDownstreamClose(_peer: Peer): void {
    logInfo("sent " + this.sent.toString() + ", received " + this.received.toString());
  }
}
