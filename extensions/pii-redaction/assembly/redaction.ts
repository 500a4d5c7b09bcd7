import {
  Action, Background, Body, filter, GrpcStatus, Headers, HttpFilter, requestBody, responseBody,
} from "@weft/sdk/assembly";
import { BodyHeaders } from "./body-headers";
import { bodies, countSkipped, defineCounters, resets } from "./counters";
import { Outcome, Passage } from "./passage";
import { Rules } from "./rules";
import { Settings } from "./settings";

/** Holds the rules that all streams share. */
@filter("pii-redaction")
export class Redactor extends Background<Settings> {
  rules!: Rules;

  onConfigure(): bool {
    this.rules = new Rules(this.config);
    defineCounters();
    return true;
  }
}

/** Why a body is refused. */
enum Refusal { None, Compressed, TooLong }

/**
 * Redacts personal data in the bodies of requests and responses:
 *
 *     {"email": {}, "card": {"keepLast": 4}, "fields": {"names": ["password"]}}
 */
@filter("pii-redaction")
export class PiiRedaction extends HttpFilter<Settings> {
  private request: Passage | null = null;
  private response: Passage | null = null;
  private takesTrailers: bool = false;
  private isConnect: bool = false;
  private isRefused: bool = false;

  onRequestHeaders(headers: Headers, endOfStream: bool): Action {
    const facts = new BodyHeaders();
    facts.read(headers, this.config.contentTypes);
    this.takesTrailers = facts.takesTrailers;
    this.isConnect = facts.isConnect;
    if (this.config.looksAtResponses && !this.config.dryRun) askForAll(headers, facts);
    if (endOfStream || !this.config.looksAtRequests) return Action.Continue;
    if (facts.asksForTunnel || facts.isConnect) return Action.Continue;
    switch (this.refusalOf(facts)) {
      case Refusal.Compressed: return this.refuse(415, "a compressed body is not taken here\n");
      case Refusal.TooLong: return this.refuse(413, "the body is too long\n");
    }
    this.request = this.begin(headers, facts);
    return Action.Continue;
  }

  onRequestBody(body: Body, size: u32, endOfStream: bool): Action {
    const passage = this.request;
    if (passage == null) return Action.Continue;
    return this.after(passage.take(body, size, endOfStream));
  }

  onRequestTrailers(_trailers: Headers): Action {
    const passage = this.request;
    return passage == null ? Action.Continue : this.after(passage.end(requestBody));
  }

  onResponseHeaders(headers: Headers, endOfStream: bool): Action {
    const isSeen = this.config.looksAtResponses && !this.isRefused;
    if (endOfStream || !isSeen) return Action.Continue;
    const facts = new BodyHeaders();
    facts.read(headers, this.config.contentTypes);
    if (facts.isSwitch || (this.isConnect && facts.isSuccess)) return Action.Continue;
    if (this.takesTrailers) facts.announcesTrailers = true;
    switch (this.refusalOf(facts)) {
      case Refusal.Compressed: return this.refuse(502, "the response is compressed\n");
      case Refusal.TooLong: return this.refuse(502, "the response is too long\n");
    }
    this.response = this.begin(headers, facts);
    return Action.Continue;
  }

  onResponseBody(body: Body, size: u32, endOfStream: bool): Action {
    const passage = this.response;
    if (passage == null) return Action.Continue;
    return this.after(passage.take(body, size, endOfStream));
  }

  onResponseTrailers(_trailers: Headers): Action {
    const passage = this.response;
    return passage == null ? Action.Continue : this.after(passage.end(responseBody));
  }

  onDelete(): void {
    const request = this.request;
    const response = this.response;
    if (request != null) request.release();
    if (response != null) response.release();
  }

  private refusalOf(facts: BodyHeaders): Refusal {
    const config = this.config;
    if (!facts.isText || config.dryRun) return Refusal.None;
    if (facts.isCompressed && config.compressed.isRefused) return Refusal.Compressed;
    const isTooLong = config.maxBytes > 0 && facts.length > <i64>config.maxBytes;
    return isTooLong && config.tooLong.isRefused ? Refusal.TooLong : Refusal.None;
  }

  private refuse(status: u32, why: string): Action {
    this.isRefused = true;
    return this.respond<string>(status, why, null, GrpcStatus.None, "pii_redaction_refused");
  }

  /** Lets a body begin; null if it is not looked at. */
  private begin(headers: Headers, facts: BodyHeaders): Passage | null {
    if (!facts.isText || facts.isCompressed) {
      countSkipped(facts.isText);
      return null;
    }
    const config = this.config;
    const rules = changetype<Redactor>(this.plugin).rules;
    bodies.inc();
    if (!rules.isDryRun) {
      // Another length is not known before the end; a digest of the old body is of no use.
      if (facts.length >= 0 && !rules.kinds.keepLength) headers.remove("content-length");
      if (facts.hasDigest) removeDigests(headers);
    }
    return new Passage(rules, facts, config.maxBytes, config.tooLong.isRefused);
  }

  private after(outcome: Outcome): Action {
    if (outcome == Outcome.Pass) return Action.Continue;
    if (outcome == Outcome.Wait) return Action.Pause;
    resets.inc();
    this.reset();
    return Action.Pause;
  }
}

/** A part of a response may be a part of a number, and in what is compressed nothing is found. */
function askForAll(headers: Headers, facts: BodyHeaders): void {
  if (facts.asksForRange) {
    headers.remove("range");
    headers.remove("if-range");
  }
  if (facts.asksForCompression) headers.remove("accept-encoding");
}

function removeDigests(headers: Headers): void {
  headers.remove("content-md5");
  headers.remove("content-digest");
  headers.remove("repr-digest");
  headers.remove("digest");
}
