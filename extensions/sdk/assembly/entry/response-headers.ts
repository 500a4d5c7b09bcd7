import { Action } from "../abi/codes";
import { release } from "../arena";
import { filterAt } from "../contexts";
import { responseHeaders } from "../headers";

/** The headers of a response have arrived. */
export function proxy_on_response_headers(stream: u32, _count: u32, endOfStream: u32): i32 {
  const filter = filterAt(stream);
  if (filter == null) return Action.Continue;
  const action = filter.onResponseHeaders(responseHeaders, endOfStream != 0);
  release();
  return action;
}
