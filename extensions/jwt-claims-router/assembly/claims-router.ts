import {
  Action, Background, Bytes, ByteWriter, Counter, counterWith, filter, GrpcStatus,
  hasProperty, Headers, HttpFilter, isHeaderValue, setProperty,
} from "@weft/sdk/assembly";
import { Condition } from "./condition";
import { OwnedHeaders } from "./owned-headers";
import { Outcome, Rule, Settings } from "./settings";

/** Requests by the rule that has decided: `otherwise` if none has, `missing` without claims. */
const decided = counterWith("jwt_router_requests_total", ["rule"]);

/** Claims that could not be copied into a header: a list, a number, or a text with controls. */
const uncopied = counterWith("jwt_router_uncopied_total", ["header"]);

/** A rule, what it does, and who counts its requests. */
@final
class Decision {
  constructor(
    readonly when: Condition[],
    readonly outcome: Outcome,
    readonly requests: Counter,
  ) {}

  get applies(): bool {
    for (let i = 0; i < this.when.length; i++) if (!this.when[i].holds()) return false;
    return true;
  }
}

/** Holds what all streams share. */
@filter("jwt-claims-router")
export class Table extends Background<Settings> {
  readonly decisions: Decision[] = [];
  readonly owned: OwnedHeaders = new OwnedHeaders();
  readonly uncopied: Counter[] = [];
  claims!: Bytes;
  issuer!: Bytes;
  otherwise!: Counter;
  missing!: Counter;

  onConfigure(): bool {
    const config = this.config;
    this.claims = new ByteWriter().text("metadata\0filter_metadata\0").text(config.namespace)
      .byte(0).text(config.payload).finish();
    this.issuer = new ByteWriter().text(this.claims).text("\0iss").finish();
    this.otherwise = decided.label("otherwise").get();
    this.missing = decided.label("missing").get();
    for (let i = 0; i < config.rules.length; i++) this.addRule(config.rules[i]);
    for (let i = 0; i < config.copy.claims.length; i++) {
      config.copy.claims[i].locate(this.claims);
      this.uncopied.push(uncopied.label(config.copy.names[i]).get());
    }
    this.owned.add(config.copy.names);
    this.owned.add(config.otherwise.set.names);
    return true;
  }

  /** Whether a token was verified. Nearly all name their issuer, which is less to copy than all. */
  get hasClaims(): bool {
    return hasProperty(this.issuer) || hasProperty(this.claims);
  }

  private addRule(rule: Rule): void {
    for (let i = 0; i < rule.when.length; i++) rule.when[i].claim.locate(this.claims);
    this.owned.add(rule.set.names);
    const requests = decided.label(rule.name).get();
    this.decisions.push(new Decision(rule.when, rule.outcome, requests));
  }
}

/**
 * Sets headers, by which Envoy then chooses the route, from the claims of a token that Envoy's
 * jwt_authn has verified before:
 *
 *     {"rules": [{"name": "gold", "when": [{"claim": "tier", "oneOf": ["gold", "platinum"]}],
 *                 "set": {"x-pool": "fast"}}]}
 */
@filter("jwt-claims-router")
export class JwtClaimsRouter extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const table = changetype<Table>(this.plugin);
    const config = this.config;
    table.owned.removeFrom(headers);
    if (!table.hasClaims) {
      table.missing.inc();
      if (!config.allowMissing) return this.refuse("no verified token\n");
      return this.carryOut(headers, config.otherwise);
    }
    for (let i = 0; i < table.decisions.length; i++) {
      const decision = table.decisions[i];
      if (!decision.applies) continue;
      decision.requests.inc();
      return this.decide(headers, decision.outcome);
    }
    table.otherwise.inc();
    return this.decide(headers, config.otherwise);
  }

  private decide(headers: Headers, outcome: Outcome): Action {
    if (outcome.deny.isEmpty) this.copyClaims(headers);
    return this.carryOut(headers, outcome);
  }

  private carryOut(headers: Headers, outcome: Outcome): Action {
    if (!outcome.tag.isEmpty) setProperty("jwt_tag", outcome.tag);
    if (!outcome.deny.isEmpty) return this.refuse(outcome.deny);
    const names = outcome.set.names;
    for (let i = 0; i < names.length; i++) headers.set(names[i], outcome.set.values[i]);
    return Action.Continue;
  }

  /** What is no text has bytes that no header can have; nor may a text begin another header. */
  private copyClaims(headers: Headers): void {
    const copy = this.config.copy;
    for (let i = 0; i < copy.names.length; i++) {
      const value = copy.claims[i].value();
      if (value == null) continue;
      if (isHeaderValue(value)) headers.set(copy.names[i], value);
      else changetype<Table>(this.plugin).uncopied[i].inc();
    }
  }

  private refuse<T>(why: T): Action {
    return this.respond<T>(403, why, null, GrpcStatus.PermissionDenied, "jwt_claims_denied");
  }
}
