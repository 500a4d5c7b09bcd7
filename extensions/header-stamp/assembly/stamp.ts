import { Action, config, counter, filter, Headers, HttpFilter, JsonReader } from
  "@weft/sdk/assembly";
import { Stamps } from "./stamps";

/** Requests and responses that were stamped. */
const stamped = counter("stamped_total");

/** Which headers to stamp. One of the two must name some. */
@config
export class StampConfig {
  /** Headers to put on each request before it goes upstream. */
  request: Stamps = new Stamps();
  /** Headers to put on each response before it goes downstream. */
  response: Stamps = new Stamps();

  check(json: JsonReader): void {
    if (this.request.isEmpty && this.response.isEmpty) json.refuse("names no header to stamp");
  }
}

/**
 * Stamps headers on requests and responses:
 *
 *     {"request": {"x-weft-stamp": "v1"}, "response": {"x-weft-demo": "hello"}}
 *
 * A stamp replaces what the header held, so that nobody outside can forge it.
 */
@filter("header-stamp")
export class HeaderStamp extends HttpFilter<StampConfig> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    return stamp(headers, this.config.request);
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    return stamp(headers, this.config.response);
  }
}

function stamp(headers: Headers, stamps: Stamps): Action {
  if (stamps.isEmpty) return Action.Continue;
  stamps.put(headers);
  stamped.inc();
  return Action.Continue;
}
