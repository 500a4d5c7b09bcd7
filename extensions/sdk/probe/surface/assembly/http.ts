import {
  Action, Body, Bytes, clearRouteCache, Expression, filter, GrpcCallback, GrpcMethod, GrpcStatus,
  GrpcStream, HeaderList, Headers, HttpCall, HttpCallback, HttpFilter, HttpResponse, LifeSpan,
  logInfo, properties, setFilterState, setProperty,
} from "@weft/sdk/assembly";

/** Asks another service before a request goes on. */
@filter("http")
export class Caller extends HttpFilter {
  stream: GrpcStream | null = null;

  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const ask = headers.get("ask");
    if (ask == null) return Action.Continue;
    if (ask.equals("http")) return this.askHttp();
    if (ask.equals("grpc")) return this.askGrpc();
    if (ask.equals("unary")) return this.askOnce();
    if (ask.equals("refuse")) return this.refuse();
    if (ask.equals("properties")) this.tellProperties();
    if (ask.equals("foreign")) this.callForeign();
    return Action.Continue;
  }

  onRequestBody(body: Body, size: u32, endOfStream: bool): Action {
    if (!endOfStream) return Action.Pause;
    const start = body.get(1, 3);
    logInfo("body " + size.toString() + " " + body.length.toString());
    if (start != null) body.replace(start);
    return Action.Continue;
  }

  onResponseTrailers(trailers: Headers): Action {
    trailers.add("x-seen", "yes");
    return Action.Continue;
  }

  onLog(): void {
    logInfo("logged");
  }

  private askHttp(): Action {
    const call = new HttpCall("authz").post("/check", Bytes.of("body")).header("x", "é");
    const isSent = call.within(50).send(this, new Checked(this));
    return isSent ? Action.Pause : this.respond(503, "no call");
  }

  private askGrpc(): Action {
    const method = new GrpcMethod("cluster", "a.Service", "Watch");
    method.metadata.add("token", "t");
    this.stream = method.open(this, new Watcher(this));
    const stream = this.stream;
    if (stream != null) stream.send("hello");
    return Action.Pause;
  }

  private askOnce(): Action {
    new GrpcMethod("cluster", "a.Service", "Get").call(this, "question", 70, new Watcher(this));
    return Action.Pause;
  }

  private refuse(): Action {
    const headers = new HeaderList().add("retry-after", "1").add("x", "");
    return this.respond(429, "slow down", headers, GrpcStatus.ResourceExhausted, "limit");
  }

  private tellProperties(): void {
    const path = properties.request.path();
    if (path != null) logInfo(path);
    logInfo(properties.response.code(-1).toString() + " " + properties.source.port().toString());
    logInfo(properties.connection.mtls() ? "mtls" : "plain");
    setProperty("tenant", "blue");
  }

  private callForeign(): void {
    clearRouteCache();
    setFilterState("envoy.string", "v", LifeSpan.DownstreamConnection);
    const expression = Expression.compile("request.path");
    if (expression != null) expression.free();
  }
}

class Checked extends HttpCallback {
  private readonly filter: Caller;

  constructor(filter: Caller) {
    super();
    this.filter = filter;
  }

  onResponse(response: HttpResponse): void {
    logInfo(response.hasFailed ? "failed" : "answered " + response.status.toString());
    this.filter.continueRequest();
  }
}

class Watcher extends GrpcCallback {
  private readonly filter: Caller;

  constructor(filter: Caller) {
    super();
    this.filter = filter;
  }

  onMessage(message: Body, size: u32): void {
    const bytes = message.get();
    logInfo("message of " + size.toString() + (bytes == null ? "" : " " + bytes.toString()));
  }

  onClose(status: GrpcStatus): void {
    logInfo("closed with " + (<i32>status).toString());
    this.filter.reset();
  }
}
