import {
  Action, Body, Bytes, filter, GrpcCallback, GrpcMethod, grpcStatusMessage, GrpcStatus, GrpcStream,
  Headers, HttpCall, HttpCallback, HttpFilter, HttpResponse, requestHeaders,
} from "@weft/sdk/assembly";

const TIMEOUT_MS: u32 = 200;

/** Asks who the header `ask` names, and answers or goes on as it is told. */
@filter("callouts")
export class Caller extends HttpFilter {
  onRequestHeaders(headers: Headers, _endOfStream: bool): Action {
    const ask = headers.get("ask");
    if (ask == null) return Action.Continue;
    if (ask.equals("unary")) return this.askOnce();
    if (ask.equals("stream")) return this.converse();
    return this.askHttp(ask.toString());
  }

  private askHttp(cluster: string): Action {
    const call = new HttpCall(cluster).post("/check", Bytes.of("may I?")).within(TIMEOUT_MS);
    const isSent = call.send(this, new Checked(this));
    return isSent ? Action.Pause : this.respond(500, "no call");
  }

  private askOnce(): Action {
    const method = new GrpcMethod("greeter", "story.Greeter", "Say");
    method.metadata.add("token", "t");
    const call = method.call(this, "hello", TIMEOUT_MS, new Said(this));
    return call == null ? this.respond(500, "no call") : Action.Pause;
  }

  private converse(): Action {
    const heard = new Heard(this);
    const stream = new GrpcMethod("greeter", "story.Greeter", "Talk").open(this, heard);
    if (stream == null) return this.respond(500, "no stream");
    heard.stream = stream;
    stream.send("one");
    return Action.Pause;
  }
}

class Checked extends HttpCallback {
  constructor(private readonly filter: Caller) {
    super();
  }

  onResponse(response: HttpResponse): void {
    if (response.hasFailed) {
      this.filter.respond(503, "no answer");
    } else if (response.status != 200) {
      const reason = response.body.get();
      this.filter.respond(403, reason == null ? "" : reason.toString());
    } else {
      const user = response.headers.get("x-user");
      if (user != null) requestHeaders.set("x-user", user);
      this.filter.continueRequest();
    }
  }
}

class Said extends GrpcCallback {
  constructor(private readonly filter: Caller) {
    super();
  }

  onMessage(message: Body, _size: u32): void {
    const text = message.get();
    if (text != null) requestHeaders.set("x-said", text);
    this.filter.continueRequest();
  }

  onClose(status: GrpcStatus): void {
    const reason = grpcStatusMessage();
    const why = reason == null ? "" : ": " + reason.toString();
    this.filter.respond(502, "closed with " + (<i32>status).toString() + why);
  }
}

/** Answers each message with another one, until it has heard two. */
class Heard extends GrpcCallback {
  stream: GrpcStream | null = null;
  private texts: string = "";
  private count: i32 = 0;

  constructor(private readonly filter: Caller) {
    super();
  }

  onInitialMetadata(metadata: Headers): void {
    const greeting = metadata.get("x-greeting");
    if (greeting != null) this.texts += greeting.toString() + ", ";
  }

  onMessage(message: Body, _size: u32): void {
    const text = message.get();
    this.texts += (text == null ? "nothing" : text.toString()) + ", ";
    const stream = this.stream;
    if (++this.count == 1 && stream != null) stream.send("two", true);
  }

  onClose(status: GrpcStatus): void {
    this.filter.respond(200, this.texts + "closed with " + (<i32>status).toString());
  }
}
