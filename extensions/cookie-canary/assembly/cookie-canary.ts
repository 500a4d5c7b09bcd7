import {
  Action, Background, Counter, counterWith, filter, Headers, HttpFilter, properties,
} from "@weft/sdk/assembly";
import { Chooser } from "./chooser";
import { Settings } from "./settings";
import { nameOf, Version } from "./version";

/** Requests by canary, version and class of the answer; "none" got no answer. */
const requests = counterWith("canary_requests_total", ["canary", "version", "class"]);

/** The classes of answers, "none" first. */
const CLASSES = 6;

/** Holds what chooses, and the counters, so that a request makes no labels. */
@filter("cookie-canary")
export class CookieCanary extends Background<Settings> {
  chooser!: Chooser;
  private readonly counters: Counter[] = [];

  onConfigure(): bool {
    this.chooser = new Chooser(this.config);
    for (let version = Version.Stable; version <= Version.Canary; version++) {
      for (let i = 0; i < CLASSES; i++) {
        const kind = i == 0 ? "none" : i.toString() + "xx";
        const named = requests.label(this.config.name).label(nameOf(version));
        this.counters.push(named.label(kind).get());
      }
    }
    return true;
  }

  count(version: Version, status: i64): void {
    const kind = status >= 100 && status < 600 ? <i32>(status / 100) : 0;
    unchecked(this.counters[version * CLASSES + kind]).inc();
  }
}

/** Gives one request its version. */
@filter("cookie-canary")
export class Canary extends HttpFilter<Settings> {
  /** Whether the request takes part. */
  private isIn: bool = false;
  private version: i32 = 0;
  /** The bucket that was drawn for a new user; -1 if none was. */
  private drawn: i32 = -1;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const settings = this.config;
    const request = headers.all();
    const testers = settings.testers;
    if (testers != null && request.indexOf(testers.header, 0) >= 0) {
      headers.remove(testers.header);
    }
    const when = settings.when;
    if (when != null && !when.holds(request)) {
      // What a client wrote there is no choice of ours.
      if (request.indexOf(settings.header, 0) >= 0) headers.remove(settings.header);
      return Action.Continue;
    }
    const chooser = changetype<CookieCanary>(this.plugin).chooser;
    this.isIn = true;
    this.version = chooser.choose(request);
    this.drawn = chooser.drawn;
    headers.set(settings.header, nameOf(this.version));
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    if (!this.isIn) return Action.Continue;
    if (this.config.respond) headers.set(this.config.header, nameOf(this.version));
    if (this.drawn >= 0) {
      const chooser = changetype<CookieCanary>(this.plugin).chooser;
      headers.add("set-cookie", chooser.cookieOf(this.drawn));
    }
    return Action.Continue;
  }

  onLog(): void {
    if (!this.isIn) return;
    changetype<CookieCanary>(this.plugin).count(this.version, properties.response.code(0));
  }
}
