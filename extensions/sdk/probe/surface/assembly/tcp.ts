import { Action, Body, filter, logInfo, Peer, TcpFilter } from "@weft/sdk/assembly";

/** Lets connections in, and marks what goes through. */
@filter("tcp")
export class Marker extends TcpFilter {
  private bytes: u32 = 0;

  onNewConnection(): Action {
    return Action.Pause;
  }

  onDownstreamData(data: Body, size: u32, endOfStream: bool): Action {
    this.bytes += size;
    data.prepend("<");
    data.append(">");
    if (endOfStream) this.closeDownstream();
    return Action.Continue;
  }

  onDownstreamClose(peer: Peer): void {
    logInfo("closed by " + (<i32>peer).toString() + " after " + this.bytes.toString());
  }
}
