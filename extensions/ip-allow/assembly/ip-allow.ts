import {
  Action, Background, Counter, counterWith, filter, GrpcStatus, Headers, HttpFilter, setProperty,
} from "@weft/sdk/assembly";
import { clientOf } from "./client";
import { Settings } from "./settings";

/** What decided about a request. */
enum Reason { Allow, Deny, Default, Unknown }

const REASONS = 4;

/** Requests by what became of them and what decided that. */
const requests = counterWith("ip_allow_requests_total", ["decision", "reason"]);

/** Where the access log finds what was denied: `%FILTER_STATE(wasm.ip_allow:PLAIN)%`. */
const PROPERTY = "ip_allow";

/** Holds the counters, so that a request makes no labels. */
@filter("ip-allow")
export class IpAllow extends Background<Settings> {
  private readonly allowed: Counter[] = [];
  private readonly denied: Counter[] = [];

  onConfigure(): bool {
    const denial = this.config.dryRun ? "would_deny" : "deny";
    for (let reason = 0; reason < REASONS; reason++) {
      this.allowed.push(requests.label("allow").label(labelOf(reason)).get());
      this.denied.push(requests.label(denial).label(labelOf(reason)).get());
    }
    return true;
  }

  count(isAllowed: bool, reason: Reason): void {
    unchecked((isAllowed ? this.allowed : this.denied)[reason]).inc();
  }
}

/** Lets requests pass, or answers them, by the address they come from. */
@filter("ip-allow")
export class AddressFilter extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const settings = this.config;
    const reason = this.reasonOf(headers);
    const isAllowed = reason == Reason.Allow
      || (reason == Reason.Default && settings.defaultAction.isAllow)
      || (reason == Reason.Unknown && settings.unknownAction.isAllow);
    changetype<IpAllow>(this.plugin).count(isAllowed, reason);
    if (isAllowed) return Action.Continue;
    setProperty(PROPERTY, settings.dryRun ? "would_deny" : "deny");
    if (settings.dryRun) return Action.Continue;
    return this.respond(settings.status, settings.body, null, GrpcStatus.None, "ip_allow_denied");
  }

  /** What decides about this request. */
  private reasonOf(headers: Headers): Reason {
    const client = clientOf(headers, this.config);
    if (client == null) return Reason.Unknown;
    const allowed = this.config.allow.longestMatch(client);
    const denied = this.config.deny.longestMatch(client);
    if (allowed < 0 && denied < 0) return Reason.Default;
    return denied >= allowed ? Reason.Deny : Reason.Allow;
  }
}

function labelOf(reason: Reason): string {
  switch (reason) {
    case Reason.Allow: return "allow";
    case Reason.Deny: return "deny";
    case Reason.Default: return "default";
  }
  return "unknown";
}
