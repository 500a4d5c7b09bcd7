import { Action, filter, Headers, HttpFilter } from "@weft/sdk/assembly";

/** Sends those with the cookie to the canary, and tells the upstream whose request it is. */
@filter("canary")
export class Canary extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const path = headers.get(":path");
    if (path != null && path.startsWith("/healthz")) return Action.Continue;
    const user = headers.get("x-user");
    const canary = headers.cookie("canary");
    const isCanary = canary != null && canary.equals("always");
    headers.set("x-canary", isCanary ? "1" : "0");
    if (user != null) headers.set("x-tenant", user.slice(0, user.indexOf("@")));
    headers.remove("x-internal");
    return Action.Continue;
  }

  onResponseHeaders(headers: Headers, _endOfStream: bool): Action {
    headers.add("x-served-by", "weft");
    return Action.Continue;
  }
}
