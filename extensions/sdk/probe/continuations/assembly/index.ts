import { Action, filter, Headers, HttpCall, HttpFilter, HttpResponse, logInfo } from
  "@weft/sdk/assembly";

/** Asks twice before a request goes on, and tells what it knew of the stream meanwhile. */
@filter("continuations")
export class Guard extends HttpFilter {
  private path: string = "";

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const path = headers.get(":path");
    this.path = path == null ? "" : path.toString();
    const isSent = new HttpCall("authz").get("/first").send(this, this.onFirst);
    return isSent ? Action.Pause : this.respond(503, "no authorization");
  }

  private onFirst(response: HttpResponse): void {
    logInfo(`first ${response.status} for ${this.path}`);
    new HttpCall("authz").get("/second").send(this, this.onSecond);
  }

  protected onSecond(response: HttpResponse): void {
    logInfo(`second ${response.status} for ${this.path}`);
    this.continueRequest();
  }
}
