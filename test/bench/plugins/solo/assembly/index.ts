export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  FilterHeadersStatusValues,
  registerRootContext,
  RootContext,
  stream_context,
} from "@solo-io/proxy-runtime";

class CanaryRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new Canary(context_id, this);
  }
}

/** Sends those with the cookie to the canary, and tells the upstream whose request it is. */
class Canary extends Context {
  constructor(context_id: u32, root_context: CanaryRoot) {
    super(context_id, root_context);
  }

  onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    if (headers.get(":path").startsWith("/healthz")) return FilterHeadersStatusValues.Continue;
    const user = headers.get("x-user");
    const isCanary = cookieOf(headers.get("cookie"), "canary") == "always";
    headers.replace("x-canary", isCanary ? "1" : "0");
    if (user.length > 0) headers.replace("x-tenant", user.slice(0, user.indexOf("@")));
    headers.remove("x-internal");
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-served-by", "weft");
    return FilterHeadersStatusValues.Continue;
  }
}

/** The value of a cookie in the header; neither SDK has a function for it. */
function cookieOf(header: string, name: string): string {
  const cookies = header.split(";");
  for (let i = 0; i < cookies.length; i++) {
    const cookie = cookies[i].trimStart();
    if (cookie.startsWith(name) && cookie.charAt(name.length) == "=") {
      return cookie.slice(name.length + 1);
    }
  }
  return "";
}

registerRootContext((context_id: u32) => {
  return new CanaryRoot(context_id);
}, "canary");
