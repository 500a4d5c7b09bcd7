// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { Action } from "../abi/codes";
import { requestBody, responseBody } from "../body";
import { enter } from "../callback";
import { leaveAndCollect } from "../contexts";
import { requestHeaders, requestTrailers, responseHeaders, responseTrailers } from "../headers";
import { HttpStream } from "../http-filter";
import { streamAt } from "../stream-table";

// What the host tells of an HTTP stream. It tells connections apart by what it calls, so a stream
// that gets here is an HttpStream.

@inline
function at(context: u32): HttpStream | null {
  return changetype<HttpStream | null>(streamAt(context));
}

/** The headers of a request have arrived. */
export function proxy_on_request_headers(context: u32, _count: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onRequestHeaders(requestHeaders, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** A piece of the body of a request has arrived. */
export function proxy_on_request_body(context: u32, size: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onRequestBody(requestBody, size, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** The trailers of a request have arrived. */
export function proxy_on_request_trailers(context: u32, _count: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onRequestTrailers(requestTrailers);
  leaveAndCollect();
  return action;
}

/** The headers of a response have arrived. */
export function proxy_on_response_headers(context: u32, _count: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onResponseHeaders(responseHeaders, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** A piece of the body of a response has arrived. */
export function proxy_on_response_body(context: u32, size: u32, endOfStream: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onResponseBody(responseBody, size, endOfStream != 0);
  leaveAndCollect();
  return action;
}

/** The trailers of a response have arrived. */
export function proxy_on_response_trailers(context: u32, _count: u32): i32 {
  enter();
  const stream = at(context);
  let action = Action.Continue;
  if (stream != null) action = stream.onResponseTrailers(responseTrailers);
  leaveAndCollect();
  return action;
}
