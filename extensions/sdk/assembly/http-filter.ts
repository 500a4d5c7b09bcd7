import { Action } from "./abi/codes";
import { Headers } from "./headers";

/**
 * What a plugin does to one HTTP stream. One object per stream, made when the stream begins and
 * dropped when it ends: fields may keep what a later callback of the stream needs.
 *
 * The host calls only what the module exports. Override a method and re-export its entry point
 * (`entry/request-headers`, `entry/response-headers`) from the plugin's index.ts.
 */
export abstract class HttpFilter {
  onRequestHeaders(_headers: Headers, _endOfStream: bool): Action {
    return Action.Continue;
  }

  onResponseHeaders(_headers: Headers, _endOfStream: bool): Action {
    return Action.Continue;
  }
}
