import { Action, config, filter, Headers, HttpFilter, JsonReader, logInfo, max } from
  "@weft/sdk/assembly";

@config
class Settings {
  /** What requests are marked with. */
  mark: string = "none";
  @max(100) percent: u8 = 0;
  /** Whether it traps as it is configured. */
  traps: bool = false;

  check(_json: JsonReader): void {
    if (this.traps) unreachable();
  }
}

/** Marks requests, and traps on those that ask for it. */
@filter("mark")
export class Marker extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    if (headers.get("x-trap") != null) unreachable();
    headers.set("x-mark", this.config.mark);
    return Action.Continue;
  }

  onLog(): void {
    logInfo("marked " + this.config.mark);
  }
}
