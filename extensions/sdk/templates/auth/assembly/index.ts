import {
  Action, Bytes, config, counter, filter, Headers, HeaderList, HttpFilter, min,
} from "@weft/sdk/assembly";

const refused = counter("refused_total");

/** Who may come in, and by what. */
@config
class Settings {
  /** The header that holds the key. */
  @min(1) header: string = "x-api-key";
  /** Who each key belongs to. */
  @min(1) keys: Map<string, string> = new Map<string, string>();
}

/**
 * Asks every request for an API key. The key itself goes no further: the upstream is told its
 * owner, in `x-consumer`, whatever the client has put there.
 */
@filter("plugin-name")
export class ApiKeys extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    // Not `get`, which answers the first of several: an upstream might read the last.
    const given = headers.getAll(this.config.header);
    if (given.length != 1) return this.refuse(given.length == 0 ? "no key" : "several keys");
    const owner = this.ownerOf(given[0]);
    if (owner == null) return this.refuse("unknown key");
    headers.remove(this.config.header);
    headers.set("x-consumer", owner);
    return Action.Continue;
  }

  private ownerOf(key: Bytes): string | null {
    const text = key.toString();
    return this.config.keys.has(text) ? this.config.keys.get(text) : null;
  }

  /** Answers in place of the upstream; the reason shows in access logs, not to the client. */
  private refuse(reason: string): Action {
    refused.inc();
    const headers = new HeaderList().add("www-authenticate", "ApiKey");
    return this.respond(401, "an API key is needed\n", headers, -1, reason);
  }
}
