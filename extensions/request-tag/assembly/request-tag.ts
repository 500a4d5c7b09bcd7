import {
  Action, Background, Bytes, Counter, counterWith, filter, Headers, HttpFilter, properties,
  setProperty,
} from "@weft/sdk/assembly";
import { Settings } from "./settings";

/** Requests by their tag and the class of the answer; "none" got no answer. */
const requests = counterWith("request_tag_requests_total", ["tag", "class"]);

/** The classes of answers, "none" first. */
const CLASSES = 6;

/** Holds the tags and a counter of each with each class, so that a request makes no labels. */
@filter("request-tag")
export class RequestTag extends Background<Settings> {
  /** The tags of the rules, then that of all others. */
  private readonly tags: Bytes[] = [];
  private readonly counters: Array<Counter | null> = [];

  onConfigure(): bool {
    const rules = this.config.rules;
    for (let i = 0; i < rules.length; i++) this.add(rules[i].tag);
    this.add(this.config.defaultTag);
    return true;
  }

  private add(tag: Bytes): void {
    this.tags.push(tag);
    for (let i = 0; i < CLASSES; i++) this.counters.push(null);
  }

  tagAt(place: i32): Bytes {
    return unchecked(this.tags[place]);
  }

  /** Counts an answer. The combination is made known to Envoy when it first comes. */
  count(place: i32, status: i64): void {
    const kind = status >= 100 && status < 600 ? <i32>(status / 100) : 0;
    const at = place * CLASSES + kind;
    let counter = unchecked(this.counters[at]);
    if (counter == null) {
      const label = kind == 0 ? "none" : kind.toString() + "xx";
      counter = requests.label(this.tagAt(place)).label(label).get();
      unchecked(this.counters[at] = counter);
    }
    counter.inc();
  }
}

/** Tags one request. */
@filter("request-tag")
export class Tagger extends HttpFilter<Settings> {
  /** The place of its tag; -1 for none. */
  private place: i32 = -1;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const settings = this.config;
    const rules = settings.rules;
    const request = headers.all();
    let place = 0;
    while (place < rules.length && !unchecked(rules[place]).when.holds(request)) place++;
    const tag = changetype<RequestTag>(this.plugin).tagAt(place);
    if (tag.isEmpty) {
      // What a client wrote there is no tag.
      if (request.indexOf(settings.header, 0) >= 0) headers.remove(settings.header);
      return Action.Continue;
    }
    this.place = place;
    if (!settings.header.isEmpty) headers.set(settings.header, tag);
    if (!settings.property.isEmpty) setProperty(settings.property, tag);
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    const settings = this.config;
    if (this.place < 0 || !settings.respond || settings.header.isEmpty) return Action.Continue;
    headers.set(settings.header, changetype<RequestTag>(this.plugin).tagAt(this.place));
    return Action.Continue;
  }

  onLog(): void {
    if (this.place < 0 || !this.config.count) return;
    changetype<RequestTag>(this.plugin).count(this.place, properties.response.code(0));
  }
}
