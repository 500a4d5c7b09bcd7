import {
  Action, Bytes, counter, Headers, HttpFilter, JsonReader, logError, Plugin,
} from "@weft/sdk/assembly";
import { Stamps } from "./stamps";

/** Requests and responses that were stamped. */
const stamped = counter("stamped_total");

/**
 * Stamps headers on requests and responses:
 *
 *     {"request": {"x-weft-stamp": "v1"}, "response": {"x-weft-demo": "hello"}}
 *
 * A stamp replaces what the header held, so that nobody outside can forge it.
 */
export class StampPlugin extends Plugin {
  readonly request: Stamps = new Stamps();
  readonly response: Stamps = new Stamps();

  configure(configuration: Bytes): bool {
    const json = new JsonReader(configuration);
    json.openObject();
    while (json.nextMember()) {
      if (json.name.equals("request")) this.request.read(json);
      else if (json.name.equals("response")) this.response.read(json);
      else json.refuse("is no setting; there are request and response");
    }
    if (this.request.isEmpty && this.response.isEmpty) json.refuse("names no header to stamp");
    if (json.finish()) return true;
    logError("header-stamp: " + json.problem);
    return false;
  }

  createHttpFilter(): HttpFilter {
    return new StampFilter(this);
  }
}

class StampFilter extends HttpFilter {
  private readonly plugin: StampPlugin;

  constructor(plugin: StampPlugin) {
    super();
    this.plugin = plugin;
  }

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    return stamp(headers, this.plugin.request);
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    return stamp(headers, this.plugin.response);
  }
}

function stamp(headers: Headers, stamps: Stamps): Action {
  if (stamps.isEmpty) return Action.Continue;
  stamps.put(headers);
  stamped.inc();
  return Action.Continue;
}
