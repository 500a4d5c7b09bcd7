import {
  Action, Background, Bytes, config, filter, Headers, HttpFilter, JsonReader, max, Pairs,
} from "@weft/sdk/assembly";
import { Values } from "./changes";
import { Part } from "./part";
import { Rule } from "./rule";
import { Kept } from "./template";

/** What to do to requests, and to responses. */
@config
export class Settings {
  /** Rules for the headers of requests, in order. */
  @max(64) request: Array<Rule> = new Array<Rule>();
  /** Rules for the headers of responses, in order. */
  @max(64) response: Array<Rule> = new Array<Rule>();

  check(json: JsonReader): void {
    if (this.request.length + this.response.length == 0) json.refuse("has no rules");
    for (let i = 0; i < this.request.length; i++) {
      if (this.request[i].whenResponse == null) continue;
      json.refuse("has whenResponse in request[" + i.toString() + "], before there is a response");
    }
  }
}

/** What the rules for responses need of requests, found when the plugin is configured. */
@filter("header-transform")
export class HeaderTransform extends Background<Settings> {
  /** The parts of values that are gone when the response comes. */
  private readonly wanted: Part[] = [];
  /** The rules for responses that ask what the request was like, a bit for each. */
  private conditional: u64 = 0;

  onConfigure(): bool {
    const rules = this.config.response;
    for (let i = 0; i < rules.length; i++) {
      if (rules[i].when != null) this.conditional |= 1 << <u64>i;
      this.keepFor(rules[i].set);
      this.keepFor(rules[i].append);
      this.keepFor(rules[i].addIfAbsent);
    }
    return true;
  }

  private keepFor(values: Values): void {
    for (let i = 0; i < values.size; i++) {
      const parts = values.templates[i].parts;
      for (let j = 0; j < parts.length; j++) {
        if (!parts[j].isOfRequest) continue;
        parts[j].slot = this.wanted.length;
        this.wanted.push(parts[j]);
      }
    }
  }

  /** Whether requests are of no interest. */
  get isBlindToRequests(): bool {
    const isAsked = this.conditional != 0 || this.wanted.length > 0;
    return !isAsked && this.config.request.length == 0;
  }

  /** The rules for responses that this request does not rule out. */
  rulesFor(request: Pairs): u64 {
    let held: u64 = ~this.conditional;
    const rules = this.config.response;
    for (let rest = this.conditional; rest != 0; rest &= rest - 1) {
      const i = <i32>ctz(rest);
      const when = unchecked(rules[i]).when;
      if (when != null && when.holds(request)) held |= 1 << <u64>i;
    }
    return held;
  }

  /** What the rules for responses want of this request; null if they want nothing. */
  keep(request: Pairs): Kept | null {
    if (this.wanted.length == 0) return null;
    const kept: Kept = new Array<Bytes | null>(this.wanted.length);
    for (let i = 0; i < this.wanted.length; i++) {
      const value = unchecked(this.wanted[i]).valueIn(request);
      unchecked(kept[i] = value == null ? null : value.copy());
    }
    return kept;
  }

  /** The rules for responses that ask nothing of the request. */
  get unconditional(): u64 {
    return ~this.conditional;
  }
}

/** Changes the headers of one request and its response. */
@filter("header-transform")
export class Transformer extends HttpFilter<Settings> {
  /** Whether the request was seen: a response may come without one. */
  private isSeen: bool = false;
  private held: u64 = 0;
  private kept: Kept | null = null;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const plugin = changetype<HeaderTransform>(this.plugin);
    if (plugin.isBlindToRequests) return Action.Continue;
    const request = headers.all();
    this.isSeen = true;
    this.held = plugin.rulesFor(request);
    this.kept = plugin.keep(request);
    const rules = this.config.request;
    for (let i = 0; i < rules.length; i++) {
      const rule = unchecked(rules[i]);
      const when = rule.when;
      if (when == null || when.holds(request)) rule.apply(headers, request, null);
    }
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    const rules = this.config.response;
    if (rules.length == 0) return Action.Continue;
    const held = this.isSeen ? this.held : changetype<HeaderTransform>(this.plugin).unconditional;
    const kept = this.kept;
    const response = headers.all();
    for (let i = 0; i < rules.length; i++) {
      if ((held & (1 << <u64>i)) == 0) continue;
      const rule = unchecked(rules[i]);
      const when = rule.whenResponse;
      if (when == null || when.holds(response)) rule.apply(headers, response, kept);
    }
    return Action.Continue;
  }
}
