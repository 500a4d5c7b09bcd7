import {
  Bytes, config, Headers, JsonReader, NamedMatches, Pairs, RequestMatch, schema,
} from "@weft/sdk/assembly";
import { Removals, Renamings, Replacements, Values } from "./changes";
import { Kept } from "./template";

/** Statuses: a number, or a class as "4xx". */
@schema('{"type": "array", "items": {"type": ["integer", "string"]}}')
@final
export class Statuses {
  private readonly first: i32[] = [];
  private readonly last: i32[] = [];

  read(json: JsonReader): void {
    json.openArray();
    while (json.nextItem()) {
      const isClass = json.isAtString;
      const status = isClass ? classIn(json.readString()) : <i32>json.readInteger(100, 599);
      if (status == 0) json.refuse("is no status: write 404 or 4xx");
      this.first.push(status);
      this.last.push(isClass ? status + 99 : status);
    }
  }

  get isEmpty(): bool {
    return this.first.length == 0;
  }

  hold(status: i64): bool {
    for (let i = 0; i < this.first.length; i++) {
      if (status >= unchecked(this.first[i]) && status <= unchecked(this.last[i])) return true;
    }
    return false;
  }
}

/** The first status of a class as "4xx", or 0. */
function classIn(text: Bytes): i32 {
  const digit = text.at(0) - 0x30;
  return digit >= 1 && digit <= 5 && text.slice(1).equals("xx") ? 100 * digit : 0;
}

/** What a response must be like; all that is said must hold. */
@config
export class ResponseMatch {
  /** One of these statuses: `[404, "5xx"]`. */
  status: Statuses = new Statuses();
  /** Headers by name. One that is repeated is one text with commas. */
  headers: NamedMatches = new NamedMatches();

  holds(response: Pairs): bool {
    const status = response.get(":status");
    if (!this.status.isEmpty && (status == null || !this.status.hold(status.toInteger()))) {
      return false;
    }
    for (let i = 0; i < this.headers.size; i++) {
      const value = response.getJoined(unchecked(this.headers.names[i]));
      if (!unchecked(this.headers.matches[i]).matches(value)) return false;
    }
    return true;
  }
}

/**
 * What to do to the headers of a message. It sees the message as it came, and not what other rules
 * make of it.
 */
@config
export class Rule {
  /** What the request must be like, also where the rule is about its response. */
  when: RequestMatch | null = null;
  /** What the response must be like. */
  whenResponse: ResponseMatch | null = null;
  /** Headers to remove; `x-debug-*` removes all that begin so. */
  remove: Removals = new Removals();
  /** Headers to rename, to what is given; what has that name already goes. */
  rename: Renamings = new Renamings();
  /** Texts to replace in values: `{"location": {"http://": "https://"}}`. */
  replace: Replacements = new Replacements();
  /** Headers to set. One whose value lacks a part is removed: nobody outside can forge it. */
  set: Values = new Values();
  /** Values to add beside those there are. One that lacks a part is left out. */
  append: Values = new Values();
  /** As append, where there is no such header. */
  addIfAbsent: Values = new Values();

  apply(headers: Headers, message: Pairs, kept: Kept | null): void {
    this.remove.apply(headers, message);
    this.rename.apply(headers, message);
    this.replace.apply(headers, message);
    for (let i = 0; i < this.set.size; i++) {
      const name = unchecked(this.set.names[i]);
      const value = unchecked(this.set.templates[i]).render(message, kept);
      if (value != null) headers.set(name, value);
      else if (message.indexOf(name, 0) >= 0) headers.remove(name);
    }
    add(this.append, headers, message, kept);
    const absent = this.addIfAbsent;
    if (absent.size > 0) add(absent, headers, message, kept, true);
  }
}

function add(
  values: Values, headers: Headers, message: Pairs, kept: Kept | null, ifAbsent: bool = false,
): void {
  for (let i = 0; i < values.size; i++) {
    const name = unchecked(values.names[i]);
    if (ifAbsent && message.indexOf(name, 0) >= 0) continue;
    const value = unchecked(values.templates[i]).render(message, kept);
    if (value != null) headers.add(name, value);
  }
}
