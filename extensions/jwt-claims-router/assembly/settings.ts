import {
  Bytes, config, isHeaderName, isHeaderValue, isProxyHeader, JsonReader, max, min, schema,
} from "@weft/sdk/assembly";
import { Claim } from "./claim";
import { Condition } from "./condition";

/** Headers that one configuration can set: each has a bit of a word. */
export const HEADERS_MAX: i32 = 64;

/** Headers by their names, in small letters, each with a fixed value. */
@schema('{"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 64}')
export class FixedHeaders {
  readonly names: Bytes[] = [];
  readonly values: Bytes[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      this.names.push(nameIn(json, this.names));
      const value = json.readString();
      if (!isHeaderValue(value)) json.refuse("holds a control character");
      this.values.push(value);
    }
  }
}

/** Headers by their names, in small letters, each with the claim whose text it gets. */
@schema('{"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 64}')
export class ClaimHeaders {
  readonly names: Bytes[] = [];
  readonly claims: Claim[] = [];

  read(json: JsonReader): void {
    json.openObject();
    while (json.nextMember()) {
      this.names.push(nameIn(json, this.names));
      const claim = new Claim();
      claim.read(json);
      this.claims.push(claim);
    }
  }
}

/** The name of the header that the reader has stepped to. */
function nameIn(json: JsonReader, others: Bytes[]): Bytes {
  const name = json.name.toLowerCase().copy();
  if (!isHeaderName(name)) json.refuse("is no header name");
  if (isProxyHeader(name)) json.refuse("is the proxy's own");
  if (others.length == HEADERS_MAX) json.refuse("is one header too many");
  for (let i = 0; i < others.length; i++) {
    if (others[i].equals(name)) json.refuse("is given twice");
  }
  return name;
}

/** What becomes of a request that no rule is about. */
@config
export class Outcome {
  /** Headers to set. */
  set: FixedHeaders = new FixedHeaders();
  /** What access logs and other plugins read as the property `jwt_tag`; nothing if empty. */
  @max(128) tag: Bytes = Bytes.of("");
  /** Why the request is denied; it is not, if empty. */
  @max(256) deny: Bytes = Bytes.of("");
}

/** What becomes of requests with certain claims. */
@config
export class Rule {
  /** Names it in metrics. */
  @min(1) @max(64) name!: string;
  /** What must be so, all of it. */
  @min(1) @max(16) when!: Array<Condition>;
  /** Headers to set. */
  set: FixedHeaders = new FixedHeaders();
  /** What access logs and other plugins read as the property `jwt_tag`; nothing if empty. */
  @max(128) tag: Bytes = Bytes.of("");
  /** Why the request is denied; it is not, if empty. */
  @max(256) deny: Bytes = Bytes.of("");

  get outcome(): Outcome {
    const outcome = new Outcome();
    outcome.set = this.set;
    outcome.tag = this.tag;
    outcome.deny = this.deny;
    return outcome;
  }
}

/** Routes by the claims of a token that Envoy's jwt_authn has verified. */
@config
export class Settings {
  /** Under which name of dynamic metadata the claims are: the name of the filter. */
  @min(1) @max(128) namespace: Bytes = Bytes.of("envoy.filters.http.jwt_authn");
  /** Under which key: the `payload_in_metadata` of the provider. */
  @min(1) @max(128) payload: Bytes = Bytes.of("jwt_payload");
  /** Headers that get the text of a claim, whatever rule decides. */
  copy: ClaimHeaders = new ClaimHeaders();
  /** The rules; the first whose conditions hold decides. */
  @max(64) rules: Array<Rule> = new Array<Rule>();
  /** What becomes of a request that no rule is about. */
  otherwise: Outcome = new Outcome();
  /** Whether a request without verified claims is one that no rule is about; else it is denied. */
  allowMissing: bool = false;

  check(json: JsonReader): void {
    if (this.namespace.indexOfByte(0) >= 0 || this.payload.indexOfByte(0) >= 0) {
      json.refuse("must not have zero bytes in namespace and payload");
    }
    let headers = this.copy.names.length + this.otherwise.set.names.length;
    for (let i = 0; i < this.rules.length; i++) headers += this.rules[i].set.names.length;
    if (headers > 8 * HEADERS_MAX) json.refuse("sets too many headers");
  }
}
