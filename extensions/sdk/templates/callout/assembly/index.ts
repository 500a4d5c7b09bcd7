import {
  Action, config, counter, filter, Headers, HttpCall, HttpCallback, HttpFilter, HttpResponse, max,
  min, requestHeaders,
} from "@weft/sdk/assembly";

const failures = counter("authz_failures_total");

/** Whom to ask, how long to wait, and what to do without an answer. */
@config
class Settings {
  /** The cluster to ask; it answers `GET /check`. */
  @min(1) cluster!: string;
  @min(1) @max(10000) timeoutMs: u32 = 200;
  /** Whether requests pass while nobody answers. */
  passOnFailure: bool = false;
}

/**
 * Holds each request until another service has said yes: any status of 200 to 299. The service is
 * told path, method and credentials, and tells in `x-user` who asks.
 */
@filter("plugin-name")
export class Asking extends HttpFilter<Settings> {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const call = new HttpCall(this.config.cluster).get("/check").within(this.config.timeoutMs);
    const path = headers.get(":path");
    const method = headers.get(":method");
    const credentials = headers.get("authorization");
    if (path != null) call.header("x-original-path", path);
    if (method != null) call.header("x-original-method", method);
    if (credentials != null) call.header("authorization", credentials);
    headers.remove("x-user");
    const isAsked = call.send(this, new Answered(this));
    return isAsked ? Action.Pause : this.withoutAnswer();
  }

  /** What becomes of a request while nobody answers. */
  withoutAnswer(): Action {
    failures.inc();
    if (this.config.passOnFailure) return Action.Continue;
    return this.respond(503, "no authorization service\n");
  }
}

/** What goes on once the answer is there. An object, since AssemblyScript has no closures. */
class Answered extends HttpCallback {
  private readonly filter: Asking;

  constructor(filter: Asking) {
    super();
    this.filter = filter;
  }

  onResponse(answer: HttpResponse): void {
    if (answer.hasFailed || answer.status >= 500) {
      if (this.filter.withoutAnswer() == Action.Continue) this.filter.continueRequest();
      return;
    }
    if (answer.status < 200 || answer.status > 299) {
      this.filter.respond(403, "not permitted\n");
      return;
    }
    const user = answer.headers.get("x-user");
    if (user != null) requestHeaders.set("x-user", user);
    this.filter.continueRequest();
  }
}
