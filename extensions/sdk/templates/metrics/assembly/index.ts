import {
  Action, Body, config, counterWith, filter, Headers, histogram, HttpFilter, min, properties,
} from "@weft/sdk/assembly";

// Declared at the top of a file, so that Envoy shows them before the first request.
const requests = counterWith("requests_total", ["tenant", "outcome"]);
const responseBytes = histogram("response_bytes");

@config
class Settings {
  /** The header that names the tenant. */
  @min(1) header: string = "x-tenant";
}

/**
 * Counts each request once, when all of it is over: `requests_total{tenant="blue",outcome="5xx"}`.
 * A metric never has more than 500 combinations of labels, whatever clients send: later ones
 * count as "other".
 */
@filter("plugin-name")
export class Counting extends HttpFilter<Settings> {
  /** Kept from the first callback for the last: request headers are gone by then. */
  private tenant: string = "none";
  private bytes: u64 = 0;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const tenant = headers.get(this.config.header);
    if (tenant != null) this.tenant = tenant.toString();
    return Action.Continue;
  }

  onResponseBody(_body: Body, size: u32, _endOfStream: bool): Action {
    this.bytes += size;
    return Action.Continue;
  }

  onLog(): void {
    requests.label(this.tenant).label(outcomeOf(properties.response.code(0))).get().inc();
    responseBytes.record(this.bytes);
  }
}

/** The class of a status: one label for each code would make many. */
function outcomeOf(status: i64): string {
  if (status < 100 || status > 599) return "none";
  return `${status / 100}xx`;
}
