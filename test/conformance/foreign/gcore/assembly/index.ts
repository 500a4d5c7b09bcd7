// Uses most of what the SDK offers; the header "ask" of a request says what.

export * from "@gcoredev/proxy-wasm-sdk-as/assembly/proxy";
import {
  BaseContext, BufferTypeValues, Context, Counter, FilterDataStatusValues, FilterHeadersStatusValues,
  get_buffer_bytes, get_property, get_shared_data, Headers, HeaderPair, log, LogLevelValues,
  makeHeaderPair, registerRootContext, RootContext, send_http_response, set_buffer_bytes, set_property,
  set_shared_data, stream_context, WasmResultValues,
} from "@gcoredev/proxy-wasm-sdk-as/assembly";

const text = (bytes: ArrayBuffer): string => String.UTF8.decode(bytes);
const bytesOf = (value: string): ArrayBuffer => String.UTF8.encode(value);

function set(name: string, value: string): void {
  stream_context.headers.request.replace(name, value);
}

class TourRoot extends RootContext {
  requests: Counter | null = null;

  onConfigure(size: u32): bool {
    super.onConfigure(size);
    this.requests = new Counter("tour_requests");
    log(LogLevelValues.info, "configured with " + this.getConfiguration());
    return this.getConfiguration() != "refuse";
  }

  createContext(id: u32): Context {
    return new Tour(id, this);
  }
}

class Tour extends Context {
  ask: string = "";

  constructor(id: u32, root: TourRoot) {
    super(id, root);
  }

  onRequestHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    log(LogLevelValues.info, count.toString() + " headers, the end " + endOfStream.toString());
    const headers = stream_context.headers.request;
    this.ask = headers.get("ask");
    set("x-tour", this.root_context.getConfiguration());
    if (this.ask == "all") this.replaceAll();
    else if (this.ask == "call") return this.call();
    else if (this.ask == "count") {
      const requests = (this.root_context as TourRoot).requests;
      if (requests != null) requests.increment(1);
    } else if (this.ask == "panic") {
      throw new Error("asked to");
    } else if (this.ask == "property") {
      const path = text(get_property("request\0url_path"));
      set("x-property", path + " " + text(get_property("plugin_root_id")));
      set_property("tour", bytesOf("set"));
      log(LogLevelValues.info, text(get_property("tour")));
    } else if (this.ask == "respond") {
      const own: Headers = [makeHeaderPair("x-own", "1"), makeHeaderPair("x-own", "2")];
      send_http_response(418, "", bytesOf("a teapot"), own);
      return FilterHeadersStatusValues.StopIteration;
    } else if (this.ask == "respond-empty") {
      send_http_response(204, "", new ArrayBuffer(0), []);
      return FilterHeadersStatusValues.StopIteration;
    } else if (this.ask == "share") this.share();
    return FilterHeadersStatusValues.Continue;
  }

  private replaceAll(): void {
    const all = stream_context.headers.request.get_headers();
    for (let i = 0; i < all.length; i++) {
      log(LogLevelValues.debug, text(all[i].key) + ": " + text(all[i].value));
    }
    stream_context.headers.request.set_headers([
      makeHeaderPair(":method", "GET"),
      makeHeaderPair(":path", "/replaced"),
      makeHeaderPair(":authority", "replaced"),
      makeHeaderPair(":scheme", "http"),
      // Without it Envoy finds no route.
      makeHeaderPair("x-forwarded-proto", "http"),
      makeHeaderPair("x-only", "1"),
    ]);
  }

  private call(): FilterHeadersStatusValues {
    const headers: HeaderPair[] = [
      makeHeaderPair(":method", "GET"),
      makeHeaderPair(":path", "/auth"),
      makeHeaderPair(":authority", "auth"),
    ];
    this.root_context.httpCall(
      "httpbin", headers, new ArrayBuffer(0), [], 1000, this,
      (origin: BaseContext, count: u32, bodySize: usize, _trailers: u32): void => {
        const body = text(
          get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, bodySize as u32));
        log(LogLevelValues.info, count.toString() + " headers, " + body);
        if (body == "yes") {
          stream_context.headers.request.replace("x-auth", "yes");
          origin.continueRequest();
        } else {
          send_http_response(403, "", String.UTF8.encode("denied"), [makeHeaderPair("x-auth", "no")]);
        }
      },
    );
    return FilterHeadersStatusValues.StopIteration;
  }

  private share(): void {
    const before = get_shared_data("tour");
    const data = before.value;
    const isThere = before.result == WasmResultValues.Ok && data != null;
    const value = (isThere ? text(data as ArrayBuffer) : "") + ".";
    set_shared_data("tour", bytesOf(value), before.cas);
    set("x-shared", value);
  }

  onRequestBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    if (this.ask != "body") return FilterDataStatusValues.Continue;
    if (!endOfStream) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = text(get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32));
    set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32, bytesOf(body.toUpperCase()));
    return FilterDataStatusValues.Continue;
  }

  onResponseHeaders(count: u32, endOfStream: bool): FilterHeadersStatusValues {
    log(LogLevelValues.info, count.toString() + " headers, the end " + endOfStream.toString());
    const headers = stream_context.headers.response;
    headers.add("x-tour", "1");
    headers.add("x-tour", "2");
    headers.remove("x-secret");
    if (this.ask == "rewrite") headers.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  onResponseBody(size: usize, endOfStream: bool): FilterDataStatusValues {
    if (this.ask != "rewrite") return FilterDataStatusValues.Continue;
    if (!endOfStream) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = bytesOf("rewritten");
    set_buffer_bytes(BufferTypeValues.HttpResponseBody, 0, size as u32, body);
    return FilterDataStatusValues.Continue;
  }

  onLog(): void {
    const status = stream_context.headers.response.get(":status");
    log(LogLevelValues.info, "stream " + this.context_id.toString() + " ends with " + status);
  }
}

registerRootContext((id: u32) => new TourRoot(id), "tour");
