import {
  Action, Body, Bytes, ByteWriter, config, counterWith, filter, Headers, HttpCall, HttpCallback,
  HttpFilter, HttpResponse,
} from "@weft/sdk/assembly";

// Filters as plugins are made of, each leaving behind what its kind does.

const tenants = counterWith("tenants_total", ["tenant"]);

/** Makes strings of headers, and headers of strings. */
@filter("plain")
export class Plain extends HttpFilter {
  private user: string = "";

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const user = headers.get("x-user");
    this.user = user == null ? "nobody" : user.toString();
    headers.set("x-greeting", "hello " + this.user);
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.set("x-user-was", this.user);
    tenants.label(this.user).get().inc();
    return Action.Continue;
  }
}

/** Keeps the pieces of a body and puts another in their place. */
@filter("body")
export class Rewriter extends HttpFilter {
  private readonly pieces: Bytes[] = [];

  onRequestBody(body: Body, _size: u32, endOfStream: bool): Action {
    const piece = body.get();
    if (piece != null) this.pieces.push(piece.copy());
    if (!endOfStream) return Action.Pause;
    const text = new ByteWriter();
    for (let i = 0; i < this.pieces.length; i++) text.integer(this.pieces[i].length).byte(0x20);
    body.replace(text.finish());
    return Action.Continue;
  }
}

/** Asks another service; every second stream is gone before the answer comes. */
@filter("callout")
export class Asker extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const path = headers.get(":path");
    const call = new HttpCall("authz").get(path == null ? Bytes.of("/") : path);
    const isSent = call.within(50).send(this, new Answered(this));
    return isSent ? Action.Pause : this.respond(503, "no authorization");
  }

  allow(): void {
    this.continueRequest();
  }
}

class Answered extends HttpCallback {
  private readonly filter: Asker;

  constructor(filter: Asker) {
    super();
    this.filter = filter;
  }

  onResponse(_response: HttpResponse): void {
    this.filter.allow();
  }
}

@config
class Settings {
  cookies: Array<string> = [];
  tiers: Map<string, u32> = new Map<string, u32>();
}

/** Compares with what it was configured with. */
@filter("configured")
export class Configured extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    for (let i = 0; i < this.config.cookies.length; i++) {
      const cookie = headers.cookie(this.config.cookies[i]);
      if (cookie == null) continue;
      const tier = cookie.toString();
      if (this.config.tiers.has(tier)) headers.set("x-tier", `${this.config.tiers.get(tier)}`);
    }
    return Action.Continue;
  }
}
