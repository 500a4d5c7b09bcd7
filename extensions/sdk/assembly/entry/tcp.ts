// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Action } from "../abi/codes";
import { downstreamData, upstreamData } from "../body";
import { enter } from "../callback";
import { leaveAndCollect } from "../contexts";
import { streamAt } from "../stream-table";
import { TcpStream } from "../tcp-filter";

// What the host tells of a connection. It tells HTTP streams apart by what it calls, so a stream
// that gets here is a TcpStream.

@inline
function at(context: u32): TcpStream | null {
  return changetype<TcpStream | null>(streamAt(context));
}

/** A client has connected. */
export function proxy_on_new_connection(context: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onNewConnection();
  leaveAndCollect();
  return action;
}

/** Data from downstream have arrived. */
export function proxy_on_downstream_data(context: u32, size: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onDownstreamData(downstreamData, size, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** The connection downstream is closed. */
export function proxy_on_downstream_connection_close(context: u32, peer: i32): void {
  enter();
  const stream = at(context);
  if (stream != null) stream.onDownstreamClose(peer);
  leaveAndCollect();
}

/** Data from upstream have arrived. */
export function proxy_on_upstream_data(context: u32, size: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onUpstreamData(upstreamData, size, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** The connection upstream is closed. */
export function proxy_on_upstream_connection_close(context: u32, peer: i32): void {
  enter();
  const stream = at(context);
  if (stream != null) stream.onUpstreamClose(peer);
  leaveAndCollect();
}
